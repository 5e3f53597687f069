/** What a server must not have: other programs, JavaScript modules by name, the end of the process, a prompt. */

import type { Edit } from "../edit.ts";

export const server: readonly Edit[] = [
  {
    file: "ldblib.js",
    why: "debug.debug waits for a terminal, through readline-sync",
    find: "let getinput;",
    through: `            lua_settop(L, 0);  /* remove eventual returns */
        }
    };
}
`,
    replace: "",
  },
  {
    file: "loslib.js",
    why: "tmp and child_process",
    find: `    const tmp = require('tmp');
    const child_process = require('child_process');
`,
    replace: "",
  },
  {
    file: "loslib.js",
    why: "os.exit ends the process with all its VMs",
    find: "    syslib.exit = function(L) {",
    through: `        if (L) process.exit(status);  /* 'if' to avoid warnings for unreachable 'return' */
        return 0;
    };
`,
    replace: "",
  },
  {
    file: "loslib.js",
    why: "os.tmpname without the package tmp; the file is made, so that the name is its caller's (mkstemp)",
    find: "        return tmp.tmpNameSync();",
    replace: `        let name = require('path').join(require('os').tmpdir(), "lua_" + require('crypto').randomBytes(6).toString('hex'));
        fs.closeSync(fs.openSync(name, "wx", 0o600));
        return name;`,
  },
  {
    file: "loslib.js",
    why: "os.execute runs other programs",
    find: "    syslib.execute = function(L) {",
    through: `            lua_pushboolean(L, 1);
            return 1;
        }
    };
`,
    replace: "",
  },
  {
    file: "loadlib.js",
    why: "package.loadlib and two of the searchers run JavaScript files by path",
    find: `const global_env = (function() {`,
    through: `        return (0, eval)('this'); /* use non-strict mode to get global env */
    }
})();

const JSLIBS = to_luastring("__JSLIBS__");
`,
    replace: "",
  },
  {
    file: "loadlib.js",
    why: "as above",
    find: `/*
** load JS library in file 'path'. If 'seeglb', load with all names in`,
    through: `        lua_pushfstring(L, to_luastring("undefined symbol: %s"), sym);
        return null;
    }
};
`,
    replace: "",
  },
  {
    file: "loadlib.js",
    why: "as above",
    find: "/* error codes for 'lookforfunc' */",
    through: `        lua_pushliteral(L, (stat === ERRLIB) ? LIB_FAIL : "init");
        return 3;  /* return nil, error message, and where */
    }
};
`,
    replace: "",
  },
  {
    file: "loadlib.js",
    why: "as above",
    find: `        return process.env;
    } else {
        return global_env;`,
    replace: `        return process.env;
    } else {
        return {};`,
  },
  {
    file: "loadlib.js",
    why: "as above",
    find: `/*
** return registry.JSLIBS[path]
*/`,
    through: `    lua_rawseti(L, -2, luaL_len(L, -2) + 1);  /* JSLIBS[#JSLIBS + 1] = plib */
    lua_pop(L, 1);  /* pop JSLIBS table */
};
`,
    replace: "",
  },
  {
    file: "loadlib.js",
    why: "as above",
    find: `/*
** Try to find a load function for module 'modname' at file 'filename'.`,
    through: `    lua_pushstring(L, filename);  /* will be 2nd argument to module */
    return 2;
};

const searcher_preload`,
    replace: "const searcher_preload",
  },
  { file: "loadlib.js", why: "as above", find: `    "loadlib": ll_loadlib,\n`, replace: "" },
  {
    file: "loadlib.js",
    why: "as above",
    find: "[searcher_preload, searcher_Lua, searcher_C, searcher_Croot, null]",
    replace: "[searcher_preload, searcher_Lua, null]",
  },
  {
    file: "loadlib.js",
    why: "as above",
    find: `/*
** create table JSLIBS to keep track of loaded JS libraries,`,
    through: `    lua_rawsetp(L, LUA_REGISTRYINDEX, JSLIBS);  /* set JSLIBS table in registry */
};
`,
    replace: "",
  },
  { file: "loadlib.js", why: "as above", find: "    createjslibstable(L);\n", replace: "" },
  {
    file: "loadlib.js",
    why: "programs append to package.cpath; nothing is ever loaded from it",
    find: `    setpath(L, to_luastring("jspath", true), LUA_JSPATH_VAR, LUA_JSPATH_DEFAULT);`,
    replace: `    lua_pushliteral(L, "");
    lua_setfield(L, -2, to_luastring("cpath", true));`,
  },
  {
    file: "liolib.js",
    why: "in a thread, process.stdout has no descriptor and io.write throws; process.stdin starts reading",
    find: `    createstdfile(L, process.stdin, IO_INPUT, to_luastring("stdin"));
    createstdfile(L, process.stdout, IO_OUTPUT, to_luastring("stdout"));
    createstdfile(L, process.stderr, null, to_luastring("stderr"));`,
    replace: `    createstdfile(L, stdfile(0), IO_INPUT, to_luastring("stdin"));
    createstdfile(L, stdfile(1), IO_OUTPUT, to_luastring("stdout"));
    createstdfile(L, stdfile(2), null, to_luastring("stderr"));`,
  },
  {
    file: "liolib.js",
    why: "as above",
    find: "const luaopen_io = function(L) {",
    replace: `const stdfile = (fd) => ({ fd, toString: () => "0x" + fd });

const luaopen_io = function(L) {`,
  },
];
