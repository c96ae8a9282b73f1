/** Says what happens to those who do not see it: when an answer begins and, once it is there, all of it. */
import { answerText, type ChatState, type Turn } from "../../src/chat/state";
import { find } from "./dom";

const MAX_SPOKEN = 2_000;

export class Announcer {
  private readonly element = find("announcer");
  private last: Turn | undefined;

  update(state: ChatState): void {
    const turn = state.turns.at(-1);
    const before = this.last;
    this.last = turn;
    if (turn === undefined || (turn.id === before?.id && turn.state === before.state)) return;
    if (turn.state === "running") this.say("Heron is answering.");
    else if (before?.id === turn.id) this.say(spoken(turn));
  }

  private say(text: string): void {
    this.element.textContent = text;
  }
}

function spoken(turn: Turn): string {
  if (turn.state === "failed") return ""; // its alert is read by itself
  const ending = turn.state === "complete" ? "" : " Stopped.";
  return `Heron: ${answerText(turn).slice(0, MAX_SPOKEN)}${ending}`;
}
