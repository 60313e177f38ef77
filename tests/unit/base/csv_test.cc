#include "hsm/base/csv.h"

#include <doctest/doctest.h>

TEST_CASE("a cell of a table is quoted where RFC 4180 asks for it") {
  CHECK(base::CsvCell("") == "");
  CHECK(base::CsvCell("RFC 5280") == "RFC 5280");
  CHECK(base::CsvCell("a,b") == "\"a,b\"");
  CHECK(base::CsvCell("say \"no\"") == "\"say \"\"no\"\"\"");
  CHECK(base::CsvCell("a\r\nb") == "\"a\r\nb\"");
}

TEST_CASE("no cell of a table begins like a formula") {
  CHECK(base::CsvCell("=1+1") == "'=1+1");
  CHECK(base::CsvCell("+1") == "'+1");
  CHECK(base::CsvCell("-1") == "'-1");
  CHECK(base::CsvCell("@SUM(A1)") == "'@SUM(A1)");
  CHECK(base::CsvCell("\t=1") == "'\t=1");
  CHECK(base::CsvCell("\r=1") == "\"'\r=1\"");
  CHECK(base::CsvCell("=HYPERLINK(\"x\")") == "\"'=HYPERLINK(\"\"x\"\")\"");
}
