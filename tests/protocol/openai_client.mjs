// Asks a host with OpenAI's official client for Node and prints what came of it as JSON.
// Arguments: the folder the client is installed in, the host's address. HERON_TOKEN is the token.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, baseURL] = process.argv.slice(2);
const path = createRequire(join(folder, "package.json")).resolve("openai");
const { default: OpenAI } = await import(pathToFileURL(path));
const client = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: process.env.HERON_TOKEN, maxRetries: 0 });
const messages = [{ role: "user", content: "hello" }];
const model = "scripted";
const found = {};

const completion = await client.completions.create({ model, prompt: "def f():\n    ", suffix: "\n", logprobs: 1 });
found.completion = completion.choices[0].text;
found.tokens = completion.choices[0].logprobs.tokens;
found.usage = completion.usage.completion_tokens;

found.stream = "";
for await (const chunk of await client.completions.create({ model, prompt: "def f", stream: true }))
  found.stream += chunk.choices[0].text;

found.chat = (await client.chat.completions.create({ model, messages })).choices[0].message.content;

const runner = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
const final = await runner.finalChatCompletion();
found.accumulated = final.choices[0].message.content;
found.accumulatedTokens = (await runner.totalUsage()).completion_tokens;

const tools = [{ type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } }];
const called = await client.chat.completions.create({ model, messages: [{ role: "user", content: "look" }], tools });
found.call = called.choices[0].message.tool_calls?.[0].function.name;

found.models = (await client.models.list()).data.map((one) => one.id);

const long = await client.chat.completions.create({ model, messages: [{ role: "user", content: "forever" }], stream: true });
for await (const _ of long) break; // leaving the loop closes the connection
long.controller.abort();

found.errors = [];
for (const ask of [
  () => client.completions.create({ model: "gpt-5", prompt: "x" }),
  () => client.chat.completions.create({ model, messages, temperature: 5 }),
  () => client.completions.create({ model, prompt: "busy" }),
  () => client.embeddings.create({ model, input: "x" }),
  () => new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: "wrong", maxRetries: 0 }).models.list(),
]) {
  try {
    await ask();
    found.errors.push("none");
  } catch (error) {
    found.errors.push(error.constructor.name);
  }
}
console.log(JSON.stringify(found));
