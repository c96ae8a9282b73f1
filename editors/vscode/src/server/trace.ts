/** The channel of the messages between VS Code and the server: written while tracing is on, which is not remembered. */
import { EventEmitter, LogLevel, type LogOutputChannel, type OutputChannel, window } from "vscode";

/** The language client asks a log channel whether to trace; the level of this one is set by our command. */
export class TraceChannel implements LogOutputChannel {
  readonly #channel: OutputChannel = window.createOutputChannel("Heron Trace", "log");
  readonly #changed = new EventEmitter<LogLevel>();
  #isOn = false;

  readonly name = this.#channel.name;
  readonly onDidChangeLogLevel = this.#changed.event;

  get logLevel(): LogLevel {
    return this.#isOn ? LogLevel.Trace : LogLevel.Off;
  }

  /** On or off; whether it is on now. */
  toggle(): boolean {
    this.#isOn = !this.#isOn;
    this.#changed.fire(this.logLevel);
    return this.#isOn;
  }

  trace(message: string): void {
    this.#write(message);
  }

  debug(message: string): void {
    this.#write(message);
  }

  info(message: string): void {
    this.#write(message);
  }

  warn(message: string): void {
    this.#write(message);
  }

  error(error: string | Error): void {
    this.#write(String(error));
  }

  append(value: string): void {
    this.#channel.append(value);
  }

  appendLine(value: string): void {
    this.#channel.appendLine(value);
  }

  replace(value: string): void {
    this.#channel.replace(value);
  }

  clear(): void {
    this.#channel.clear();
  }

  show(): void {
    this.#channel.show(true);
  }

  hide(): void {
    this.#channel.hide();
  }

  dispose(): void {
    this.#channel.dispose();
    this.#changed.dispose();
  }

  #write(message: string): void {
    if (this.#isOn) this.#channel.appendLine(`${new Date().toISOString().slice(11, 23)} ${message}`);
  }
}
