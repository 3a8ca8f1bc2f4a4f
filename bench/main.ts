/** `npm run bench -- <name>`: prints one JSON line per case; models and data are looked for beside the repository. */
import { benchAccuracy } from './accuracy.ts';
import { benchAllocation } from './allocation.ts';
import { benchArtifact } from './artifact.ts';
import { benchForecast } from './forecast.ts';
import { benchQuantizer } from './quantizer.ts';
import { presentModels } from './shared-models.ts';
import { benchSolver } from './solver.ts';
import { benchSweep } from './sweep.ts';

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  sweep: benchSweep,
  forecast: benchForecast,
  solver: benchSolver,
  quantizer: benchQuantizer,
  accuracy: benchAccuracy,
  allocation: benchAllocation,
  artifact: benchArtifact,
};

const bench = BENCHES[process.argv[2] ?? ''];
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')}`);
  process.exitCode = 2;
} else {
  if (presentModels().length === 0) console.error('no models in ../shared: nothing to measure');
  await bench();
}
