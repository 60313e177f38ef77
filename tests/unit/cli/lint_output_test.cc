#include "ceremony/cli/lint_output.h"

#include <doctest/doctest.h>

#include <sstream>

using ceremony::cli::LintFormat;
using ceremony::cli::MakeLintWriter;
using ceremony::x509::BulkItem;
using ceremony::x509::RuleId;

TEST_CASE("text of a certificate or a file's name never is a formula in a table of findings") {
  std::ostringstream out;
  BulkItem item;
  item.findings.push_back({RuleId::kName12, 7, "=HYPERLINK(\"https://a.example\")"});
  MakeLintWriter(LintFormat::kCsv, out)->Item("@SUM(1).pem", item);
  CHECK(out.str() ==
        "X509-NAME-12,good-practice,ISO 3166-1,'@SUM(1).pem,0,0,other,7,"
        "\"'=HYPERLINK(\"\"https://a.example\"\")\"\r\n");
}
