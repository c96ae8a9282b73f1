/** The local model among VS Code's own. The scripted host goes on with the last line, as it does for completions. */
import { strict as assert } from "node:assert";
import { type LanguageModelChat, LanguageModelChatMessage, lm } from "vscode";
import { type Suite, untilReady } from "./harness";

export function testModels(suite: Suite): void {
  suite.test("VS Code's chat can use the local model", async () => {
    const model = await localModel();
    assert.equal(model.vendor, "heron");
    assert.equal(model.id, "scripted");
    assert.equal(model.maxInputTokens, 3072);
    const response = await model.sendRequest([LanguageModelChatMessage.User("    x")]);
    let text = "";
    for await (const piece of response.text) text += piece;
    assert.equal(text, " = 1\n    return x");
    assert.equal(await model.countTokens("1234567"), 2);
  });
}

async function localModel(): Promise<LanguageModelChat> {
  await untilReady();
  const [model] = await lm.selectChatModels({ vendor: "heron" });
  assert(model, "VS Code knows no model of Heron's");
  return model;
}
