/**
 * Minimise ½ xᵀGx over one-hot choices: each group (layer) takes exactly one of its variables (candidates), and every
 * linear constraint Σ cost·x ≤ limit holds. Variables are numbered group by group.
 */
export type QuadraticProgram = {
  /** Number of variables of each group, shape [groupCount], each ≥ 1. */
  readonly groupSizes: readonly number[];
  /**
   * G, symmetric, row-major, shape [variableCount, variableCount]. Entries between two different variables of one group
   * never count, because a one-hot choice never holds both; a PSD projection fills them, and they are best kept: without
   * them the projected matrix is no longer convex, and the proof of optimality is slower.
   */
  readonly quadratic: Float64Array;
  readonly constraints: readonly LinearConstraint[];
};

export type LinearConstraint = {
  readonly name: string;
  /** Shape [variableCount]. */
  readonly costs: Float64Array;
  readonly limit: number;
};

/** The chosen variable of each group, counted inside the group, shape [groupCount]. */
export type Assignment = readonly number[];
