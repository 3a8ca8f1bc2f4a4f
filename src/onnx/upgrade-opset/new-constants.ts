/** The constants that rewrites add to a graph or a function body. */
import type { TensorProto } from '../../wire/model-proto.ts';
import { freshName } from '../graph-index.ts';

/** Keeps one named tensor for equal content. */
export class NewConstants {
  readonly #names = new Map<string, string>();
  readonly #tensors = new Map<string, TensorProto>();
  readonly #taken: Set<string>;

  /** @param taken names that the model uses; new ones are added */
  constructor(taken: Set<string>) {
    this.#taken = taken;
  }

  get tensors(): TensorProto[] {
    return [...this.#tensors.values()];
  }

  nameOf(tensor: TensorProto): string {
    const key = `${tensor.dataType}:${tensor.dims.join()}:${tensor.rawData?.join()}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    // Short, because a name costs its bytes wherever it is used.
    const name = freshName(`k${this.#tensors.size}`, this.#taken);
    this.#names.set(key, name);
    this.#tensors.set(name, { ...tensor, name });
    return name;
  }

  tensorOf(name: string): TensorProto | undefined {
    return this.#tensors.get(name);
  }
}
