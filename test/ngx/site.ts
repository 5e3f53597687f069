/** A server without sockets: locations with Lua handlers on a real state and a real scheduler. */

import { lauxlib, lua, type lua_State } from "#fengari";
import type {
  HandlerSource,
  HttpRequest,
  LocationHandlers,
  Phase,
  Redirection,
  ResponseHead,
} from "../../src/core/exchange.ts";
import type { LogLevel } from "../../src/core/log.ts";
import type { Activity, Scheduler } from "../../src/lua/activity.ts";
import { createScheduler } from "../../src/lua/scheduler.ts";
import { textAt, toBytes, toText } from "../../src/lua/stack.ts";
import { createState } from "../../src/lua/state.ts";
import { openNgx } from "../../src/ngx/api.ts";
import { Exchange } from "../../src/ngx/exchange.ts";
import type { NgxHost } from "../../src/ngx/host.ts";
import {
  type ExchangeOutput,
  type HandlerFailure,
  type RunningExchange,
  startExchange,
} from "../../src/ngx/phases.ts";

type Handlers = Partial<Record<Phase, string>>;

/** A request in short; the rest has defaults. */
export interface Asked {
  readonly method?: string;
  /** As in the request line, e.g. `/x?a=1`. */
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly request?: Partial<HttpRequest>;
  readonly limits?: { readonly instructions?: number; readonly deadlineMs?: number };
}

/** What came out of a request. Texts are latin1. */
export interface Answer {
  status: number;
  headers: readonly string[];
  body: string;
  errorPage: boolean;
  /** The messages to the main thread, in order: `response`, `head`, `data:…`, `finish`, `broken`, `redirect:…`, `done`. */
  messages: string[];
}

export interface Site {
  readonly L: lua_State;
  readonly scheduler: Scheduler;
  readonly log: { level: LogLevel; message: string }[];
  /** Runs a request to its end. */
  ask(asked?: Asked): Promise<Answer>;
  /** Starts a request. */
  start(asked?: Asked): {
    readonly running: RunningExchange;
    readonly answer: Answer;
    readonly done: Promise<Answer>;
  };
  /** Runs a chunk outside of any request: in init, or as `context` says. */
  chunk(code: string, context?: unknown): string;
}

const view = { generation: 7, enter() {}, leave() {} };

/**
 * Locations by their path; `@name` for named ones. A handler `file:NAME` is a file that does not exist,
 * everything else is source text.
 */
export function createSite(locations: Readonly<Record<string, Handlers>>): Site {
  const log: Site["log"] = [];
  const L = createState({ print() {} });
  const scheduler = createScheduler(L, {
    onNativeError: (error) => log.push({ level: "alert", message: String(error) }),
  });
  const host: NgxHost = {
    scheduler,
    workerId: 0,
    workerCount: 2,
    prefix: "/srv/site",
    log: (level, message) => log.push({ level, message }),
    exiting: () => false,
  };
  openNgx(L, host);

  const known = new Map(
    Object.entries(locations).map(([pattern, handlers], index): [string, LocationHandlers] => [
      pattern,
      { id: index + 1, pattern, handlers: sources(handlers) },
    ]),
  );

  const pushHandler = (co: lua_State, phase: Phase, source: HandlerSource, exchange: Exchange) =>
    pushFresh(co, `=${phase}_by(${exchange.location?.pattern})`, source);

  function start(asked: Asked = {}) {
    const request = requestOf(asked);
    const exchange = new Exchange(request, known.get(request.uri));
    const activity: Activity = {
      view,
      instructions: asked.limits?.instructions ?? 0,
      deadlineMs: asked.limits?.deadlineMs ?? 0,
      startedAtMs: performance.now(),
      context: exchange,
    };
    const answer: Answer = { status: 0, headers: [], body: "", errorPage: false, messages: [] };
    let resolve: (answer: Answer) => void = () => {};
    const done = new Promise<Answer>((settle) => {
      resolve = settle;
    });
    let running: RunningExchange | undefined;
    const output: ExchangeOutput = recordInto(answer, resolve, ({ uri, args }) => {
      setImmediate(() => {
        running?.continueWith(
          known.get(uri),
          uri.startsWith("@") ? exchange.uri : uri,
          args ?? exchange.args,
          [],
        );
      });
    });
    running = startExchange({ host, activity, exchange, pushHandler, output });
    return { running, answer, done };
  }

  return {
    L,
    scheduler,
    log,
    start,
    ask: (asked) => start(asked).done,
    chunk(code, context) {
      let result = "";
      const activity: Activity = { view, instructions: 0, deadlineMs: 0, startedAtMs: 0, context };
      scheduler.run(
        activity,
        (co) => {
          lauxlib.luaL_loadstring(co, toBytes(code));
          return 0;
        },
        (outcome, co) => {
          if (outcome.kind === "error") result = outcome.message;
          else if (outcome.kind !== "returned") result = outcome.kind;
          else if (outcome.values > 0) result = toText(lauxlib.luaL_tolstring(co, -1));
        },
      );
      return result;
    },
  };
}

/** Asks a site with nothing but a content handler. */
export async function content(code: string, asked: Asked = {}): Promise<Answer & { log: string[] }> {
  const site = createSite({ "/": { content: code } });
  const answer = await site.ask(asked);
  return { ...answer, log: site.log.map(({ message }) => message) };
}

/** The values of a header in an answer. */
export function header(answer: Answer, name: string): string[] {
  return answer.headers.filter(
    (_, index) => index % 2 === 1 && answer.headers[index - 1]?.toLowerCase() === name.toLowerCase(),
  );
}

function sources(handlers: Handlers): LocationHandlers["handlers"] {
  return Object.fromEntries(
    Object.entries(handlers).map(([phase, code]): [string, HandlerSource] => [
      phase,
      code.startsWith("file:") ? { kind: "file", path: code.slice(5) } : { kind: "inline", code },
    ]),
  );
}

/** Loads a handler with an environment of its own over the globals, as the VM does. */
function pushFresh(co: lua_State, name: string, source: HandlerSource): HandlerFailure | undefined {
  if (source.kind === "file") return { status: 404, message: `cannot open ${source.path}` };
  const code = toBytes(source.code);
  if (lauxlib.luaL_loadbuffer(co, code, code.length, toBytes(name)) !== lua.LUA_OK) {
    const message = textAt(co, -1) ?? "";
    lua.lua_pop(co, 1);
    return { status: 500, message };
  }
  lua.lua_createtable(co, 0, 0);
  lua.lua_createtable(co, 0, 1);
  lua.lua_pushglobaltable(co);
  lua.lua_setfield(co, -2, toBytes("__index"));
  lua.lua_setmetatable(co, -2);
  lua.lua_setupvalue(co, -2, 1);
  return undefined;
}

function requestOf({
  method = "GET",
  target = "/",
  headers = ["Host", "example.test:8080"],
  ...asked
}: Asked) {
  const question = target.indexOf("?");
  const request: HttpRequest = {
    method,
    target,
    uri: question < 0 ? target : target.slice(0, question),
    args: question < 0 ? "" : target.slice(question + 1),
    httpVersion: "1.1",
    headers,
    ...(asked.body === undefined ? {} : { body: toBytes(asked.body) }),
    scheme: "http",
    remoteAddr: "127.0.0.1",
    remotePort: 40_000,
    serverAddr: "127.0.0.1",
    serverPort: 8080,
    serverName: "site.test",
    connection: 3,
    connectionRequests: 2,
    startedAt: Date.now(),
    location: 1,
    captures: [],
    ...asked.request,
  };
  return request;
}

function recordInto(
  answer: Answer,
  resolve: (answer: Answer) => void,
  redirect: (redirection: Redirection) => void,
): ExchangeOutput {
  const { messages } = answer;
  const takeHead = (head: ResponseHead): void => {
    answer.status = head.status;
    answer.headers = [...head.headers];
    answer.errorPage = head.errorPage;
  };
  return {
    response(head, body) {
      messages.push("response");
      takeHead(head);
      if (body !== undefined) answer.body += toText(body);
    },
    head(head) {
      messages.push("head");
      takeHead(head);
    },
    data(bytes) {
      const text = toText(bytes);
      messages.push(text.length > 40 ? `data:${text.length} bytes` : `data:${text}`);
      answer.body += text;
    },
    finish: () => messages.push("finish"),
    broken: () => messages.push("broken"),
    redirect(redirection) {
      messages.push(
        `redirect:${redirection.uri}${redirection.args === undefined ? "" : `?${redirection.args}`}`,
      );
      redirect(redirection);
    },
    done() {
      messages.push("done");
      resolve(answer);
    },
  };
}
