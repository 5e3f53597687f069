/** Walks through a chunk as Lua would run it: which locals are visible, what is called, and when. */

import type { Chunk, Expression, FunctionDeclaration, Identifier, Statement } from "luaparse";
import type { EdgeKind } from "../core/graph.ts";
import { constantText } from "./constants.ts";
import { argumentsOf, type Call, type Called, calledBy, meaningOf, moduleMeaning } from "./meanings.ts";
import { Scopes } from "./scopes.ts";

/** Where in the run of the chunk something stands. */
export interface Moment {
  readonly kind: EdgeKind;
  /** Within a function that pcall or xpcall calls at once. */
  readonly guarded: boolean;
}

/** What the walk tells of. */
export interface Listener {
  /** A call of something followed (see meanings.ts). `guarded` includes the moment's. */
  call(called: Called, node: Call, moment: Moment, meaning: MeaningHere): void;
  /** A global that is read. */
  read?(name: string, node: Identifier, moment: Moment): void;
  /** A global that is written, or declared by `function name()`. */
  write?(name: string, node: Identifier, moment: Moment): void;
  /** A field of something followed that is written: `package.preload.x = f`. */
  writeField?(meaning: string, node: Expression, moment: Moment): void;
  /** A global that is written by its full name: `_G.x = 1`. */
  declareGlobal?(name: string): void;
  /** A local called `_ENV`: what looks like globals is not (Lua 5.2 manual, 2.2). */
  declareEnvironment?(): void;
}

/** What an expression stands for where it stands. */
export type MeaningHere = (expression: Expression) => string | undefined;

const atLoad: Moment = { kind: "load", guarded: false };
const atCall: Moment = { kind: "call", guarded: false };

export function walkChunk(chunk: Chunk, listener: Listener): void {
  new Walk(listener).block(chunk.body);
}

class Walk {
  readonly #listener: Listener;
  readonly #scopes = new Scopes();
  #moment: Moment = atLoad;
  readonly #meaning: MeaningHere = (expression) => meaningOf(expression, this.#scopes);

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  block(body: readonly Statement[]): void {
    const mark = this.#scopes.mark();
    for (const statement of body) this.#statement(statement);
    this.#scopes.leave(mark);
  }

  #statement(statement: Statement): void {
    switch (statement.type) {
      case "LocalStatement":
        this.#expressions(statement.init);
        this.#declareAll(statement.variables, this.#meanings(statement.init));
        break;
      case "AssignmentStatement":
        this.#expressions(statement.init);
        this.#assign(statement.variables as Expression[], this.#meanings(statement.init));
        break;
      case "CallStatement":
        this.#expression(statement.expression);
        break;
      case "FunctionDeclaration":
        this.#namedFunction(statement);
        break;
      case "ReturnStatement":
        this.#expressions(statement.arguments);
        break;
      case "IfStatement":
        for (const clause of statement.clauses) {
          if (clause.type !== "ElseClause") this.#expression(clause.condition);
          this.block(clause.body);
        }
        break;
      case "WhileStatement":
        this.#expression(statement.condition);
        this.block(statement.body);
        break;
      case "DoStatement":
        this.block(statement.body);
        break;
      case "RepeatStatement": {
        // Its condition sees the locals of its body.
        const mark = this.#scopes.mark();
        for (const inner of statement.body) this.#statement(inner);
        this.#expression(statement.condition);
        this.#scopes.leave(mark);
        break;
      }
      case "ForNumericStatement":
        this.#expression(statement.start);
        this.#expression(statement.end);
        if (statement.step !== null) this.#expression(statement.step);
        this.#loop([statement.variable], statement.body);
        break;
      case "ForGenericStatement":
        this.#expressions(statement.iterators);
        this.#loop(statement.variables, statement.body);
        break;
      default:
        // break, goto, labels
        break;
    }
  }

  #loop(variables: readonly Identifier[], body: readonly Statement[]): void {
    const mark = this.#scopes.mark();
    this.#declareAll(variables, []);
    this.block(body);
    this.#scopes.leave(mark);
  }

  #declareAll(variables: readonly Identifier[], meanings: readonly (string | undefined)[]): void {
    for (let i = 0; i < variables.length; i++) this.#declare((variables[i] as Identifier).name, meanings[i]);
  }

  #declare(name: string, meaning?: string): void {
    if (name === "_ENV") this.#listener.declareEnvironment?.();
    this.#scopes.declare(name, meaning);
  }

  /** What each value of a list stands for. `pcall(require, "ffi")` gives the module as its second value. */
  #meanings(values: readonly Expression[]): readonly (string | undefined)[] {
    const meanings = values.map(this.#meaning);
    const last = values.at(-1);
    if (last?.type === "CallExpression") {
      const called = calledBy(last.base, last.arguments, this.#scopes);
      if (called?.guarded && called.meaning === "require")
        meanings.push(moduleMeaning(constantText(called.args[0])));
    }
    return meanings;
  }

  #assign(targets: readonly Expression[], meanings: readonly (string | undefined)[]): void {
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i] as Expression;
      if (target.type === "Identifier") {
        const local = this.#scopes.find(target.name);
        if (local !== undefined) local.meaning = meanings[i];
        else this.#listener.write?.(target.name, target, this.#moment);
        continue;
      }
      this.#expression(target);
      const global = this.#fieldOfGlobals(target);
      if (global !== undefined) this.#listener.declareGlobal?.(global);
      const meaning = this.#meaning(target);
      if (meaning !== undefined) this.#listener.writeField?.(meaning, target, this.#moment);
    }
  }

  #fieldOfGlobals(target: Expression): string | undefined {
    if (target.type !== "MemberExpression" && target.type !== "IndexExpression") return undefined;
    const base = this.#meaning(target.base);
    if (base !== "_G" && base !== "_ENV") return undefined;
    return target.type === "MemberExpression" ? target.identifier.name : constantText(target.index);
  }

  #namedFunction(statement: FunctionDeclaration): void {
    const { identifier } = statement;
    if (identifier?.type === "Identifier") {
      if (statement.isLocal) this.#scopes.declare(identifier.name);
      else this.#assign([identifier], []);
    } else if (identifier !== null) {
      this.#assign([identifier], []);
    }
    this.#functionBody(statement, atCall);
  }

  #functionBody({ identifier, parameters, body }: FunctionDeclaration, moment: Moment): void {
    const before = this.#moment;
    const mark = this.#scopes.mark();
    this.#moment = moment;
    if (identifier?.type === "MemberExpression" && identifier.indexer === ":") this.#scopes.declare("self");
    for (const parameter of parameters) if (parameter.type === "Identifier") this.#declare(parameter.name);
    this.block(body);
    this.#scopes.leave(mark);
    this.#moment = before;
  }

  #expressions(expressions: readonly Expression[]): void {
    for (const expression of expressions) this.#expression(expression);
  }

  /** Chains of operators, fields and calls are as long as they like, so the way down their left side is a loop. */
  #expression(start: Expression): void {
    let expression = start;
    for (;;) {
      switch (expression.type) {
        case "BinaryExpression":
        case "LogicalExpression":
          this.#expression(expression.right);
          expression = expression.left;
          break;
        case "UnaryExpression":
          expression = expression.argument;
          break;
        case "IndexExpression":
          this.#expression(expression.index);
          expression = expression.base;
          break;
        case "MemberExpression":
          expression = expression.base;
          break;
        case "CallExpression":
        case "StringCallExpression":
        case "TableCallExpression":
          this.#call(expression);
          if (expression.base.type === "FunctionDeclaration") return;
          expression = expression.base;
          break;
        case "Identifier":
          if (this.#listener.read !== undefined && this.#scopes.find(expression.name) === undefined)
            this.#listener.read(expression.name, expression, this.#moment);
          return;
        case "FunctionDeclaration":
          this.#functionBody(expression, atCall);
          return;
        case "TableConstructorExpression":
          for (const field of expression.fields) {
            if (field.type === "TableKey") this.#expression(field.key);
            this.#expression(field.value);
          }
          return;
        default:
          return;
      }
    }
  }

  /** A call without its base, unless that is a function written in place: it runs now. */
  #call(node: Call): void {
    const args = argumentsOf(node);
    if (node.base.type === "FunctionDeclaration") this.#functionBody(node.base, this.#moment);
    const called = calledBy(node.base, args, this.#scopes);
    if (called !== undefined) {
      const guarded = called.guarded || this.#moment.guarded;
      this.#listener.call({ ...called, guarded }, node, this.#moment, this.#meaning);
    }
    const catches = called?.meaning === "pcall" || called?.meaning === "xpcall";
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] as Expression;
      if (i === 0 && catches && arg.type === "FunctionDeclaration")
        this.#functionBody(arg, { kind: this.#moment.kind, guarded: true });
      else this.#expression(arg);
    }
  }
}
