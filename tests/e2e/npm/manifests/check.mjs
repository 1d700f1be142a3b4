// Checks each document of a file of Kubernetes manifests against the schema of its kind, and that the schemas know its keys,
// which they alone would let pass; prints the kinds.
import { readdirSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

const FREE = new Set(["data", "labels", "annotations", "matchLabels", "selector", "requests", "limits"]); // what is below them has names of its own
const known = new Set();
for (const folder of ["kubernetes-models", "@kubernetes-models/apimachinery"])
  for (const file of readdirSync(`node_modules/${folder}/_schemas`))
    for (const [word] of readFileSync(`node_modules/${folder}/_schemas/${file}`, "utf8").matchAll(/\w+/g)) known.add(word);

function checkKeys(value, path) {
  if (value === null || typeof value !== "object") return;
  for (const [key, below] of Object.entries(value)) {
    if (!Array.isArray(value) && !known.has(key)) throw new Error(`${path}.${key}: no schema has such a key`);
    if (!FREE.has(key) || key === "selector" && below.matchLabels) checkKeys(below, `${path}.${key}`);
  }
}

for (const document of parseAllDocuments(readFileSync(process.argv[2], "utf8"))) {
  if (document.errors.length > 0) throw document.errors[0];
  const manifest = document.toJS();
  const { [manifest.kind]: Kind } = await import(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`);
  new Kind(manifest).validate();
  checkKeys(manifest, manifest.kind);
  console.log(manifest.kind);
}
