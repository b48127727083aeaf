// What the published `@ai-sdk/xai` package makes of the fake: submit, poll, result, errors. Its folder comes first.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, baseURL, apiKey] = process.argv.slice(2);
const found = createRequire(`${folder}/package.json`).resolve("@ai-sdk/xai");
const { createXai } = await import(pathToFileURL(found));
const video = createXai({ baseURL, apiKey }).video("grok-imagine-video");
const make = () =>
  video.doGenerate({
    prompt: "a paper boat",
    n: 1,
    duration: 5,
    aspectRatio: "16:9",
    providerOptions: { xai: { pollIntervalMs: 20 } },
  });

const seen = {};
const made = await make();
const copy = await (await fetch(made.videos[0].url)).arrayBuffer();
seen.bytes = copy.byteLength;
seen.ticks = made.providerMetadata.xai.costInUsdTicks;
for (const name of ["withheld", "refused", "busy"]) {
  try {
    await make();
  } catch (fault) {
    seen[name] = fault.statusCode;
  }
}
console.log(JSON.stringify(seen));
