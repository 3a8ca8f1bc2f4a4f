/** What `bitgate --help` prints. */
export const USAGE = `bitgate quantizes an ONNX model to a budget, measures it, and passes or fails the build.

usage:
  bitgate run [bitgate.yml] [options]       quantize, measure, decide
  bitgate inspect [bitgate.yml] [options]   show layers, sizes, and what a run would cost
  bitgate validate [bitgate.yml] [options]  check a config and its paths
  bitgate init <model.onnx> [bitgate.yml]   write a config for a model
  bitgate evaluate <model.onnx> [bitgate.yml] [options]
                                            measure any model beside the config's float model, and decide
  bitgate cache list|clear [--cache-dir …]  list or remove the measurements that are kept on this machine
  bitgate solve [bitgate.yml] [options]     allocate for a new budget from kept measurements; no model runs
  bitgate solve --program <file> [options]  solve a bare program, print JSON (schemas/program.v1.schema.json)
  bitgate pareto [bitgate.yml] [options]    draw accuracy against size over several budgets

options that come before the config; their paths start in the current directory:
  --model <file>            the float model
  --output <file>           the quantized model to write
  --size <size>             budget of the whole file: 125000, "125 KB", "300 KiB", "25%", or auto
  --bits-per-weight <bits>  budget as mean bits per weight: 3.5
  --method <method>         local, diagonal, block, pairwise (CLADO), auto, or external
  --report-dir <folder>     where the report goes
  --cache <where>           where measurements are kept: auto, local, or off for nowhere
  --cache-dir <folder>      the folder that they are kept in; the user's cache folder when absent
  --device <device>         where models run: auto, cpu, cuda, webgpu, tensorrt, coreml or dml
  --runtime-path <folder>   where onnxruntime-node is; only there is looked
  --allow-download          fetch onnxruntime-node where it is nowhere, of the pinned version and digest

options of run, for a measurement on several machines:
  --mode <mode>             all, plan (print the matrix of shards), measure (one shard), decide (over all shares)
  --shards <count>          with --mode plan: how many machines measure
  --shard <i/n>             measure the i-th of n shards: 2/4
  --plan <plan>             with --mode measure and decide: what --mode plan printed as the plan
  --share-dir <folder>      where shares are written and read; bitgate-shares when absent

options of pareto, and of solve from kept measurements:
  --budgets <list>          several budgets: 2.5,3,120KB,25% (plain numbers up to 32 are bits per weight)
  --json                    with solve, and with evaluate: print JSON

options of solve --program, beside --size (of the weights alone) and --bits-per-weight:
  --program <file>          the program, with one matrix for all layers
  --time-limit <time>       10, 10s or 2m; 60s when absent
  --gap <ratio>             end at this relative gap; 0.0001 when absent

  -h, --help                show this text
  -v, --version             show the version

exit codes: 0 passed, 1 the gate failed, 2 the input cannot be used, 3 a fault of bitgate or of its runtime
`;
