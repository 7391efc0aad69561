// Judges what dependency-cruiser found: no broken rule, and that it saw the modules at all (without a TypeScript
// compiler API it sees none and calls that a success).
import { readFileSync, readdirSync, rmSync } from 'node:fs';

const file = process.argv[2];
const { summary } = JSON.parse(readFileSync(file, 'utf8'));
rmSync(file);
const sources = readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.ts')).length;
for (const { rule, from, to, cycle } of summary.violations)
  console.error(`${rule.severity} ${rule.name}: ${from} → ${cycle ? cycle.map((step) => step.name ?? step).join(' → ') : to}`);
if (summary.totalCruised < sources) {
  console.error(`dependency-cruiser saw ${summary.totalCruised} modules of at least ${sources}.`);
  process.exit(1);
}
console.log(`import law: ${summary.totalCruised} modules, ${summary.totalDependenciesCruised} imports, ${summary.violations.length} violations`);
process.exit(summary.violations.some(({ rule }) => rule.severity === 'error') ? 1 : 0);
