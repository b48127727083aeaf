// What MiniMax's own published `mmx-cli` package makes of the fake: both versions, results, errors. Its folder comes first.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, baseUrl, key] = process.argv.slice(2);
process.env.HOME = mkdtempSync(join(tmpdir(), "mmx-")); // a settings file of this machine is not to be read
// The package downloads by https only, which the fake does not speak.
const ask = globalThis.fetch;
globalThis.fetch = (url, options) => ask(String(url).replace("https://127.", "http://127."), options);
const module = join(folder, "node_modules", "mmx-cli", "dist", "sdk.mjs");
const { MiniMaxSDK } = await import(pathToFileURL(module));
const video = (apiKey) => new MiniMaxSDK({ apiKey, baseUrl, region: "global" }).video;
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
const wait = { pollInterval: 0.02, timeout: 60 };
const older = { model: "MiniMax-Hailuo-2.3", prompt: "a paper boat", ...wait };
const newer = {
  model: "MiniMax-H3",
  content: [
    { type: "text", text: "a paper boat" },
    { type: "image_url", image_url: { url: "https://x.example/a.png" }, role: "first_frame" },
  ],
  duration: 5,
  ...wait,
};

const seen = {};
const first = await video(key).generate(older);
const copy = join(process.env.HOME, "copy.mp4");
await video(key).download({ fileId: String(first.file_id), outPath: copy });
seen.first = [first.status, digest(readFileSync(copy))];
const second = await video(key).generate(newer);
const made = await fetch(second.content.url);
seen.second = [second.status, second.resolution, digest(Buffer.from(await made.arrayBuffer()))];
const { taskId } = await video(key).generate({ ...newer, async: true });
seen.waiting = (await video(key).getTask({ taskId, model: "MiniMax-H3" })).status;
const failing = { withheld: newer, refused: newer, refusedOlder: older, poor: older, stranger: newer };
for (const [name, wish] of Object.entries(failing)) {
  try {
    await video(name === "stranger" ? "wrong" : key).generate(wish);
    seen[name] = "it was made";
  } catch (fault) {
    seen[name] = fault.message.split(/ ?\(|\. /)[0];
  }
}
console.log(JSON.stringify(seen));
