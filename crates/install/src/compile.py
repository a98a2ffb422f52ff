import sys

# The working directory is the prefix: nothing in it may stand in for the standard library.
sys.path[:] = [entry for entry in sys.path if entry]

import importlib.util
import json
import os
import py_compile

for source in json.load(sys.stdin.buffer):
    answer = {"source": source}
    try:
        pyc = importlib.util.cache_from_source(source, optimization="")
        if not os.path.lexists(pyc):
            py_compile.compile(
                source,
                cfile=pyc,
                dfile=source,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
            )
        answer["pyc"] = pyc
    except Exception as error:
        # A template for another Python, or a test of a parser: conda leaves it out, too.
        answer["error"] = str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)
    print(json.dumps(answer), flush=True)
