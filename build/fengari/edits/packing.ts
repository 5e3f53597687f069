/** string.pack and string.unpack for integers of more than 32 bits, exact up to 2^53. */

import type { Edit } from "../edit.ts";

export const packing: readonly Edit[] = [
  {
    file: "lstrlib.js",
    why: "bytes beyond the fourth came from a shift of 32 bits",
    find: `        n >>= NB;
        buff[islittle ? i : size - 1 - i] = n & MC;
    }
    if (neg && size > SZINT) {  /* negative number need sign extension? */
        for (let i = SZINT; i < size; i++)  /* correct extra bytes */
            buff[islittle ? i : size - 1 - i] = MC;
    }`,
    replace: `        n = Math.floor(n / 0x100);  /* keeps the sign: a negative number ends in bytes of 255 */
        buff[islittle ? i : size - 1 - i] = n & MC;
    }`,
  },
  {
    file: "lstrlib.js",
    why: "as above",
    find: `                if (size < SZINT)
                    luaL_argcheck(L, (n>>>0) < (1 << (size * NB)), arg, "unsigned overflow");
                packint(b, n>>>0, h.islittle, size, false);`,
    replace: `                if (size < SZINT)
                    luaL_argcheck(L, (n>>>0) < (1 << (size * NB)), arg, "unsigned overflow");
                packint(b, n, h.islittle, size, false);`,
  },
  {
    file: "lstrlib.js",
    why: "unsigned integers of four bytes came out negative, wider ones not at all",
    find: `    let res = 0;
    let limit = size <= SZINT ? size : SZINT;`,
    through: `                luaL_error(L, to_luastring("%d-byte integer does not fit into Lua Integer"), size);
        }
    }
    return res;`,
    replace: `    let res = 0;
    let top = str[islittle ? size - 1 : 0];
    let negative = issigned && top >= 0x80;
    for (let i = size - 1; i >= 0; i--) {
        let byte = str[islittle ? i : size - 1 - i];
        res = res * 0x100 + (negative ? MC - byte : byte);
    }
    if (negative) res = -res - 1;
    if (!Number.isSafeInteger(res))
        luaL_error(L, to_luastring("%d-byte integer does not fit into Lua Integer"), size);
    return res;`,
  },
];
