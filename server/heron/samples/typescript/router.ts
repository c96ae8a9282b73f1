// A tiny router: paths with named parameters, e.g. /users/:id.

export interface Route {
  method: string;
  path: string;
  handler: (params: Record<string, string>) => string;
}

export class Router {
  private routes: Route[] = [];

  add(method: string, path: string, handler: Route["handler"]): void {
    this.routes.push({ method, path, handler });
  }

  handle(method: string, url: string): string {
    for (const route of this.routes) {
      const params = matchPath(route.path, url);
      if (route.method === method && params !== null) {
        return route.handler(params);
      }
    }
    return "404 Not Found";
  }
}

export function matchPath(path: string, url: string): Record<string, string> | null {
  const pattern = path.split("/");
  const parts = url.split("/");
  if (pattern.length !== parts.length) {
    return null;
  }
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i].startsWith(":")) {
      params[pattern[i].slice(1)] = parts[i];
    } else if (pattern[i] !== parts[i]) {
      return null;
    }
  }
  return params;
}
