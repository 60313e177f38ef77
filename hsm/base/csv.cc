#include "hsm/base/csv.h"

namespace base {

std::string CsvCell(std::string_view text) {
  constexpr std::string_view kBeginsFormula = "=+-@\t\r";
  std::string cell;
  if (!text.empty() && kBeginsFormula.find(text.front()) != std::string_view::npos) cell += '\'';
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace base
