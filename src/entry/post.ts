/** The action's post step as a program; dist/post.mjs. */
import { startPost } from './program.ts';

await startPost();
