"""Tables as a workbook for Excel and LibreOffice. The one door to XlsxWriter.

- Texts are texts: nothing that a person typed becomes a formula or a link.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from xlsxwriter import Workbook

MOST_NAME_CHARS = 31  # of a sheet, by the format
_SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
_NAME_SIGNS = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def written(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """``sheets``: name -> rows, the first of which is the head; cells are texts and numbers. The bytes of an .xlsx."""
    out = io.BytesIO()
    with Workbook(out, _SAFE) as book:
        head, share = book.add_format({"bold": True, "text_wrap": True}), book.add_format({"num_format": "0.0%"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name.translate(_NAME_SIGNS)[:MOST_NAME_CHARS])
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(number, column, cell, head if number == 0 else None)
                    elif isinstance(cell, float):
                        sheet.write_number(number, column, cell, share)
                    elif isinstance(cell, int):
                        sheet.write_number(number, column, cell)
            sheet.freeze_panes(1, 1)
            sheet.set_column(0, 0, 28)
    return out.getvalue()
