/** string.format as C's printf, with LuaJIT's treatment of numbers beyond 64 bits. */

import type { Edit } from "../edit.ts";

export const format: readonly Edit[] = [
  {
    file: "lstrlib.js",
    why: "sprintf-js knows neither C's %g, %e, %a nor wide integers",
    find: "const { sprintf } = require('sprintf-js');",
    replace: "const { formatFloat, formatInteger, parseSpec, quoteNumber } = require('./cformat.cjs');",
  },
  {
    file: "lstrlib.js",
    why: "as above; %a is in cformat.cjs",
    find: "const SIZELENMOD = LUA_NUMBER_FRMLEN.length + 1;",
    through: `        luaL_error(L, to_luastring("modifiers for format '%%a'/'%%A' not implemented"));
    return buff;
};
`,
    replace: "",
  },
  {
    file: "lstrlib.js",
    why: "as above",
    find: `/*
** Ensures the 'buff' string uses a dot as the radix character.
*/`,
    through: `        if (ppoint) buff[ppoint] = 46 /* ('.').charCodeAt(0) */;  /* change it to a dot */
    }
};
`,
    replace: "",
  },
  {
    file: "lstrlib.js",
    why: "%q of a number: decimal where it is integral, exact in hexadecimal else, so that load gives it back",
    find: `            let buff;
            if (!lua_isinteger(L, arg)) {  /* float? */`,
    through: "            luaL_addstring(b, buff);",
    replace: "            luaL_addstring(b, to_luastring(quoteNumber(lua_tonumber(L, arg))));",
  },
  {
    file: "lstrlib.js",
    why: "text between the items is added in one piece",
    find: "            luaL_addchar(b, strfrmt[i++]);\n        } else if (strfrmt[++i] === L_ESC) {",
    replace: `            let end = luastring_indexOf(strfrmt, L_ESC, i);
            if (end < 0) end = strfrmt.length;
            luaL_addstring(b, strfrmt.subarray(i, end));
            i = end;
        } else if (strfrmt[++i] === L_ESC) {`,
  },
  {
    file: "lstrlib.js",
    why: "widths and flags for all of them, C's rounding and exponents, integers of 64 bits; bytes stay bytes",
    find: "                    // sprintf(String.fromCharCode(...form), luaL_checkinteger(L, arg));",
    through: `                            lua_pop(L, 1);  /* remove result from 'luaL_tolstring' */
                        }
                    }
                    break;
                }`,
    replace: `                    addpadded(b, form, Uint8Array.of(luaL_checkinteger(L, arg)));
                    break;
                }
                case 'd': case 'i':
                case 'o': case 'u': case 'x': case 'X': {
                    luaL_addstring(b, to_luastring(formatInteger(specof(form), luaL_checknumber(L, arg))));
                    break;
                }
                case 'a': case 'A':
                case 'e': case 'E': case 'f': case 'F':
                case 'g': case 'G': {
                    luaL_addstring(b, to_luastring(formatFloat(specof(form), luaL_checknumber(L, arg))));
                    break;
                }
                case 'q': {
                    addliteral(L, b, arg);
                    break;
                }
                case 's': {
                    let s = luaL_tolstring(L, arg);
                    if (form.length <= 2) {  /* no modifiers? */
                        luaL_addvalue(b);  /* keep entire string */
                    } else {
                        let precision = specof(form).precision;
                        addpadded(b, form, precision === undefined ? s : s.subarray(0, precision));
                        lua_pop(L, 1);  /* remove result from 'luaL_tolstring' */
                    }
                    break;
                }`,
  },
  {
    file: "lstrlib.js",
    why: "as above; the length modifiers of C have no meaning here",
    find: `/*
** add length modifier into formats
*/`,
    through: `    // form[l + lm] = 0;
};
`,
    replace: `const specof = function(form) {
    return parseSpec(String.fromCharCode(...form));
};

/* adds bytes, filled up with spaces to the width that 'form' asks for */
const addpadded = function(b, form, bytes) {
    let spec = specof(form);
    let missing = Math.max(0, spec.width - bytes.length);
    if (!spec.left) luaL_addstring(b, " ".repeat(missing));
    luaL_addstring(b, bytes);
    if (spec.left) luaL_addstring(b, " ".repeat(missing));
};
`,
  },
  {
    file: "lstrlib.js",
    why: "there are five flags, and each may stand once",
    find: "    if (p - i >= FLAGS.length)",
    replace: "    if (p - i > FLAGS.length)",
  },
];
