// Microseconds per evaluation of a decision table with feelin: it has no tables, so the cells are its unary tests, rule
// by rule until one matches. stdin: {"inputs": {name: value}, "rules": [[{"input", "test"} …, output] …]}. Prints a figure.
import { readFileSync } from 'node:fs';
import { evaluate, unaryTest } from 'feelin';

const { inputs, rules, expected } = JSON.parse(readFileSync(0, 'utf8'));

function decide() {
  for (const { cells, output } of rules) {
    if (cells.every(([name, test]) => unaryTest(test, { ...inputs, '?': inputs[name] }).value)) {
      return evaluate(output, inputs).value;
    }
  }
  return null;
}

if (decide() !== expected) throw new Error(`expected ${expected}, got ${decide()}`);
let best = Infinity;
const rounds = 5, count = 200;
for (let round = 0; round < rounds; round++) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) decide();
  best = Math.min(best, Number(process.hrtime.bigint() - start) / count / 1000);
}
console.log(best);
