/** One comment on a pull request, found again by a hidden mark and its author (GitHub REST and GraphQL API). */

export type CommentTarget = {
  /** Such as https://api.github.com, and the address of GraphQL there. */
  readonly api: string;
  readonly graphql: string;
  readonly token: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly number: number;
};

/** The outcome; `absent`: there was none to update, and none was to be made. */
export type CommentOutcome = 'created' | 'updated' | 'unchanged' | 'absent';

/** A comment takes 65,536 characters; the mark and a note need some. */
export const MAX_COMMENT_LENGTH = 65_000;

/** A conversation of 5,000 comments is searched no further. */
const MAX_PAGES = 50;
const TIMEOUT_MILLISECONDS = 30_000;

/**
 * Write the comment with this mark, over the one that this token's user wrote before.
 *
 * @param mark anything without `--`; two gates of one repository have two
 * @param mayCreate whether to write one where there is none
 * @throws Error with GitHub's own words if it refuses
 */
export async function upsertComment(
  target: CommentTarget,
  mark: string,
  markdown: string,
  mayCreate: boolean,
): Promise<CommentOutcome> {
  const body = `${hiddenMark(mark)}\n${markdown}`;
  const previous = await findComment(target, hiddenMark(mark));
  if (previous?.body === body) return 'unchanged';
  if (previous === undefined && !mayCreate) return 'absent';
  if (previous !== undefined) {
    await query(target, UPDATE, { id: previous.id, body });
    return 'updated';
  }
  await request(target, `${target.api}/repos/${target.repository}/issues/${target.number}/comments`, { body });
  return 'created';
}

function hiddenMark(mark: string): string {
  return `<!-- bitgate: ${mark.replaceAll(/-{2,}|[<>]/g, '_')} -->`;
}

type Comment = { readonly id: string; readonly body: string };

const UPDATE = `mutation($id: ID!, $body: String!) {
  updateIssueComment(input: { id: $id, body: $body }) { issueComment { id } }
}`;

const LIST = `query($owner: String!, $name: String!, $number: Int!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $after) {
        nodes { id body isMinimized author { login } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`;

type Page = {
  readonly viewer: { readonly login: string };
  readonly repository?: {
    readonly pullRequest?: {
      readonly comments: {
        readonly nodes: readonly {
          readonly id: string;
          readonly body: string;
          readonly isMinimized: boolean;
          readonly author: { readonly login: string } | null;
        }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
      };
    };
  };
};

/** Anyone can write the mark; only a comment of the token's own user can be updated, and only it counts. */
async function findComment(target: CommentTarget, mark: string): Promise<Comment | undefined> {
  const [owner, name] = target.repository.split('/');
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const variables = { owner, name, number: target.number, after };
    const { viewer, repository } = (await query(target, LIST, variables)) as Page;
    if (!repository?.pullRequest) throw new Error(`there is no pull request ${target.number}`);
    const { nodes, pageInfo } = repository.pullRequest.comments;
    // A bot's login has the suffix in one place and not in the other.
    const login = viewer.login.replace(/\[bot\]$/, '');
    const found = nodes.find(
      ({ author, body, isMinimized }) => author?.login === login && !isMinimized && body.startsWith(mark),
    );
    if (found !== undefined) return found;
    if (!pageInfo.hasNextPage) return undefined;
    after = pageInfo.endCursor;
  }
  return undefined;
}

/** GraphQL answers 200 also when it refuses. */
async function query(target: CommentTarget, text: string, variables: object): Promise<unknown> {
  const { data, errors } = (await request(target, target.graphql, { query: text, variables })) as {
    readonly data?: unknown;
    readonly errors?: readonly { readonly message: string }[];
  };
  if (errors?.[0] !== undefined) throw new Error(errors[0].message);
  return data ?? {};
}

async function request({ token }: CommentTarget, address: string, body: object): Promise<unknown> {
  const response = await fetch(address, {
    method: 'POST',
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'user-agent': 'bitgate',
    },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
  });
  const answer = (await response.json().catch(() => ({}))) as { readonly message?: string };
  if (!response.ok) throw new Error(answer.message ?? `the answer is ${response.status}`);
  return answer;
}
