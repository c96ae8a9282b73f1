/** Who listens to the server: listeners stay, whichever client runs. */
import type { Disposable } from "vscode";
import type { HeronClient } from "./client";

type Listener = (params: unknown) => void;

interface Following {
  readonly listener: Listener;
  /** With the client that runs, or ran last. */
  registration: Disposable | undefined;
}

export class Routes {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #following = new Map<string, Following>();
  #client: HeronClient | undefined;

  /** Pass on what this client hears from now on. */
  connect(client: HeronClient): void {
    this.#client = client;
    for (const method of this.#listeners.keys()) this.#forward(client, method);
    for (const [token, following] of this.#following) follow(client, token, following);
  }

  onNotification<P>(method: string, listener: (params: P) => void): Disposable {
    const listeners = this.#listeners.get(method) ?? this.#listen(method);
    listeners.add(listener as Listener);
    return { dispose: () => listeners.delete(listener as Listener) };
  }

  /** `$/progress` of one token. */
  onProgress<V>(token: string, listener: (value: V) => void): Disposable {
    const following: Following = { listener: listener as Listener, registration: undefined };
    this.#following.set(token, following);
    if (this.#client) follow(this.#client, token, following);
    return {
      dispose: () => {
        this.#following.delete(token);
        following.registration?.dispose();
      },
    };
  }

  #listen(method: string): Set<Listener> {
    const listeners = new Set<Listener>();
    this.#listeners.set(method, listeners);
    if (this.#client) this.#forward(this.#client, method);
    return listeners;
  }

  #forward(client: HeronClient, method: string): void {
    client.onNotification(method, (params: unknown) => {
      for (const listener of this.#listeners.get(method) ?? []) listener(params);
    });
  }
}

function follow(client: HeronClient, token: string, following: Following): void {
  following.registration = client.follow(token, following.listener);
}
