#!/usr/bin/env python3
"""suppress.py INCLUDE: what abidiff may find without failing: members at the end of structures that begin with `size`, and,
behind pointers to one, the same. Functions that are new are let pass by --no-added-syms. abidiff then passes over other changes of such a structure as well;
the layout has the types of its members."""
import sys

import header

for name in header.sized(sys.argv[1]):
    print("[suppress_type]\n  type_kind = struct\n  name = %s\n  has_data_member_inserted_at = end\n" % name)
