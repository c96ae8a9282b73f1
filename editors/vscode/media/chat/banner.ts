/** A line above the conversation: why the model cannot answer yet, or what went wrong. */
import type { ChatState } from "../../src/chat/state";
import { find } from "./dom";

export class Banner {
  private readonly element = find("banner");

  update(state: ChatState): void {
    const text = state.fault ?? waitingFor(state);
    this.element.hidden = text === "";
    this.element.classList.toggle("fault", state.fault !== undefined || state.model.state === "failed");
    if (this.element.textContent !== text) this.element.textContent = text;
  }
}

const STATES: Readonly<Record<string, string>> = {
  stopped: "Heron is not running.",
  starting: "Heron is starting.",
  downloading: "The model is being downloaded.",
  compiling: "The model is being compiled.",
  loading: "The model is being loaded.",
  failed: "The model could not be loaded.",
};

function waitingFor({ model }: ChatState): string {
  const state = STATES[model.state] ?? "";
  return state === "" ? "" : [state, model.message].filter((text) => text !== "").join(" ");
}
