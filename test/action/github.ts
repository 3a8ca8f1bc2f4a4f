/** The part of GitHub's API that comments need: the conversation of one pull request, read in pages of a hundred. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { REPOSITORY } from './events.ts';

export type StoredComment = {
  readonly id: string;
  readonly author: string;
  body: string;
  readonly isMinimized: boolean;
};

export type Github = ReturnType<typeof createGithub>;

const PAGE = 100;

/** @param token the only one that is known; it belongs to the bot of GitHub Actions */
export function createGithub(token: string, { mayWrite = true, status = 200 } = {}) {
  const comments: StoredComment[] = [];
  const counts = { requests: 0, writes: 0 };
  const add = ({ author, body, isMinimized = false }: Omit<Partial<StoredComment>, 'id'> & { body: string }) => {
    comments.push({ id: `IC_${comments.length}`, author: author ?? 'github-actions', body, isMinimized });
  };

  const answerQuery = (query: string, variables: Readonly<Record<string, string | number | null>>) => {
    if (query.startsWith('mutation')) {
      if (!mayWrite) return { errors: [{ message: 'Resource not accessible by integration' }] };
      const comment = comments.find(({ id }) => id === variables.id)!;
      comment.body = String(variables.body);
      counts.writes++;
      return { data: { updateIssueComment: { issueComment: { id: comment.id } } } };
    }
    const isKnown = `${variables.owner}/${variables.name}` === REPOSITORY && variables.number === 7;
    if (!isKnown) return { data: { repository: null } };
    const start = Number(variables.after ?? 0);
    const nodes = comments
      .slice(start, start + PAGE)
      .map(({ author, ...rest }) => ({ ...rest, author: { login: author } }));
    const pageInfo = { hasNextPage: start + PAGE < comments.length, endCursor: String(start + PAGE) };
    return {
      data: {
        viewer: { login: 'github-actions[bot]' },
        repository: { pullRequest: { comments: { nodes, pageInfo } } },
      },
    };
  };

  const answer = (address: string, body: Readonly<Record<string, unknown>>): readonly [number, object] => {
    if (address === '/graphql') return [200, answerQuery(String(body.query), body.variables as never)];
    if (address !== `/repos/${REPOSITORY}/issues/7/comments`) return [404, { message: 'Not Found' }];
    if (!mayWrite) return [403, { message: 'Resource not accessible by integration' }];
    add({ body: String(body.body) });
    counts.writes++;
    return [201, { id: comments.length }];
  };

  const listener: RequestListener = async (request, response) => {
    counts.requests++;
    const body = JSON.parse(await textOf(request));
    const isKnown = request.headers.authorization === `Bearer ${token}`;
    const [code, reply] =
      status !== 200 ? [status, {}] : isKnown ? answer(request.url ?? '', body) : [401, { message: 'Bad credentials' }];
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  };
  return {
    listener,
    comments,
    add,
    get requests() {
      return counts.requests;
    },
    get writes() {
      return counts.writes;
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
