// Cells of a table that people open in a spreadsheet.
#ifndef HSM_BASE_CSV_H_
#define HSM_BASE_CSV_H_

#include <string>
#include <string_view>

namespace base {

// CsvCell quotes a cell as RFC 4180 section 2 asks. A cell that a spreadsheet would take for a formula gets an
// apostrophe before it: file names and text of foreign certificates end up in tables.
std::string CsvCell(std::string_view text);

}  // namespace base

#endif  // HSM_BASE_CSV_H_
