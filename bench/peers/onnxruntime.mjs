// Times ONNX Runtime on one file. Usage: node onnxruntime.mjs MODEL FILE THREADS RUNS, where the module
// onnxruntime-node is installed. Writes one line of JSON: the times in ms, the logits, the peak memory.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const ort = createRequire(process.cwd() + '/')('onnxruntime-node');
const [model, path, threads, runs] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: Number(threads), graphOptimizationLevel: 'all' });
const file = fs.readFileSync(path);
const input = { files: new ort.Tensor('uint8', new Uint8Array(file), [1, file.length]) };

let logits = (await session.run(input)).logits.data;  // the first run allocates
const milliseconds = [];
for (let i = 0; i < Number(runs); ++i) {
  const start = performance.now();
  logits = (await session.run(input)).logits.data;
  milliseconds.push(performance.now() - start);
}
// Not resourceUsage(): its maximum includes the process that started this one.
const peakKib = Number(/VmHWM:\s*(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);
console.log(JSON.stringify({ milliseconds, logits: Array.from(logits), peak_memory_bytes: 1024 * peakKib }));
