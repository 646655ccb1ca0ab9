// Holds an AsyncAPI document against the specification: `node check.mjs FILE`.
import { readFile } from "node:fs/promises";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(await readFile(file, "utf8"));
// What is less than a warning is advice, such as to use a later version of the specification.
const problems = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
for (const { message, path } of problems) console.error(`${path.join(".")}: ${message}`);
if (!document || problems.length) process.exit(1);
const count = (things) => things.all().length;
console.log(
  `${file}: AsyncAPI ${document.version()}, ${count(document.channels())} channels, ` +
    `${count(document.operations())} operations, ${count(document.messages())} messages`,
);
