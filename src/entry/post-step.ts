/** The post step: runs whatever became of the main step, saves what an interrupted one had measured, and tells of it. */
import type { GithubSave } from '../cache/github-store.ts';
import type { ActionHost } from './action-host.ts';

/** A set of measurements, as the main step announced it. */
export type Announced = { readonly key: string; readonly label: string; readonly unitCount: number };

/** Saves what the main step left on this machine; says how many units that were and what became of them. */
export type SaveLeft = (measurement: Announced) => Promise<GithubSave & { readonly unitCount: number }>;

/** Speaks only after a main step that started and did not finish. Returns the exit code; never rejects. */
export async function runPostStep(host: ActionHost, saveLeft: SaveLeft): Promise<number> {
  if (host.state('phase') !== 'started') return 0;
  const progress = host.state('progress');
  const sentences = [
    'The run ended before a verdict: it was cancelled, ran out of time, or was killed.',
    ...(progress === undefined ? [] : [`It had come to: ${progress}.`]),
    ...(await tellWhatIsSaved(host, saveLeft)),
  ];
  const message = sentences.join(' ');
  host.annotate({ level: 'warning', title: 'bitgate: interrupted', message });
  host.addSummary(`## bitgate: interrupted\n\n${message}\n`);
  return 0;
}

async function tellWhatIsSaved(host: ActionHost, saveLeft: SaveLeft): Promise<readonly string[]> {
  const announced = parseAnnounced(host.state('measurement'));
  if (announced === undefined) return [];
  try {
    const { outcome, unitCount, notes } = await saveLeft(announced);
    for (const note of notes) host.write(`${note}\n`);
    if (unitCount === 0) return [];
    const isSaved = outcome === 'saved' || outcome === 'known';
    const kept = `${unitCount} of ${announced.unitCount} units`;
    return isSaved
      ? [`${kept} kept: the next run goes on from there.`]
      : [`${kept} were measured, and could not be kept in the Actions cache, see the log.`];
  } catch (error) {
    host.write(`nothing is saved: ${error instanceof Error ? error.message : String(error)}\n`);
    return [];
  }
}

/** The state is the main step's own word, but a job may have died in the middle of it. */
function parseAnnounced(text: string | undefined): Announced | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Announced);
  } catch {
    return undefined;
  }
}
