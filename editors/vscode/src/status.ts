/** The status bar item: what the server, its model and the user's pause add up to. */
import {
  commands,
  type Disposable,
  MarkdownString,
  StatusBarAlignment,
  type StatusBarItem,
  ThemeColor,
  window,
} from "vscode";
import type { Pause } from "./pause";
import type { HeronServer, ModelStatus, ServerState } from "./server";

/** What decides how the item looks. */
export interface Condition {
  readonly server: ServerState;
  readonly model: ModelStatus | undefined;
  readonly isPaused: boolean;
  readonly isBusy: boolean;
}

export interface Look {
  readonly icon: string;
  /** A word for people. */
  readonly state: string;
  readonly isError: boolean;
}

const MODEL_LOOKS: Readonly<Record<ModelStatus["state"], Look>> = {
  starting: { icon: "$(sync~spin)", state: "starting", isError: false },
  downloading: { icon: "$(cloud-download)", state: "downloading", isError: false },
  compiling: { icon: "$(gear~spin)", state: "compiling", isError: false },
  loading: { icon: "$(sync~spin)", state: "loading", isError: false },
  ready: { icon: "$(sparkle)", state: "ready", isError: false },
  failed: { icon: "$(error)", state: "error", isError: true },
};

const SERVER_LOOKS: Readonly<Record<ServerState, Look>> = {
  stopped: { icon: "$(circle-slash)", state: "stopped", isError: false },
  starting: { icon: "$(sync~spin)", state: "starting", isError: false },
  running: { icon: "$(sparkle)", state: "running", isError: false },
  failed: { icon: "$(error)", state: "error", isError: true },
};

const PAUSED: Look = { icon: "$(debug-pause)", state: "paused", isError: false };
const BUSY: Look = { icon: "$(loading~spin)", state: "busy", isError: false };

/** An error is told first, then what the user chose, then what the model does. */
export function lookOf({ server, model, isPaused, isBusy }: Condition): Look {
  const look = server === "running" && model ? MODEL_LOOKS[model.state] : SERVER_LOOKS[server];
  if (look.isError || server !== "running") return look;
  if (isPaused) return PAUSED;
  return isBusy && model?.state === "ready" ? BUSY : look;
}

/** The item's text: an icon, the name, and the share of a download that is done. */
export function textOf(condition: Condition): string {
  const look = lookOf(condition);
  const fraction =
    condition.server === "running" && look !== PAUSED ? (condition.model?.fraction ?? undefined) : undefined;
  const isMoving = look.state !== "ready" && look.state !== "busy" && !look.isError;
  return `${look.icon} Heron${isMoving && fraction !== undefined ? ` ${Math.floor(fraction * 100)}%` : ""}`;
}

export class Status implements Disposable {
  readonly #item: StatusBarItem = window.createStatusBarItem("heron.status", StatusBarAlignment.Right, 100);
  readonly #disposables: Disposable[];

  constructor(
    readonly server: HeronServer,
    readonly pause: Pause,
  ) {
    this.#item.name = "Heron";
    this.#item.command = "heron.menu";
    const show = () => this.#show();
    this.#disposables = [
      this.#item,
      server.onDidChangeState(show),
      server.onDidChangeModel(show),
      server.onDidChangeBusy(show),
      pause.onDidChange(show),
    ];
    show();
    this.#item.show();
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  get condition(): Condition {
    const { state, model, numBusy } = this.server;
    return { server: state, model, isPaused: this.pause.isOn, isBusy: numBusy > 0 };
  }

  #show(): void {
    const { condition } = this;
    const look = lookOf(condition);
    this.#item.text = textOf(condition);
    this.#item.backgroundColor = look.isError ? new ThemeColor("statusBarItem.errorBackground") : undefined;
    this.#item.tooltip = tooltipOf(condition, look);
    void commands.executeCommand("setContext", "heron.running", condition.server === "running");
    this.#item.accessibilityInformation = { label: `Heron, ${look.state}`, role: "button" };
  }
}

function tooltipOf({ model }: Condition, look: Look): MarkdownString {
  const tooltip = new MarkdownString(`**Heron** is ${look.state === "error" ? "not working" : look.state}`);
  if (model?.model) tooltip.appendMarkdown(`\n\nModel: \`${model.model}\``);
  if (model?.message) tooltip.appendMarkdown("\n\n").appendText(model.message);
  return tooltip;
}
