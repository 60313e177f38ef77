#include "ceremony/cli/lint_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/name.h"
#include "hsm/base/counted.h"
#include "hsm/base/csv.h"
#include "hsm/base/encoding.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;
using x509::Finding;
using x509::Rule;

// The rows that a person is shown; JSON has all.
constexpr std::size_t kShown = 12;

std::string IssuerText(const std::string& der) {
  return der.empty() ? "(unknown)" : x509::NameText(base::AsBytes(der));
}

// Those with the most findings first, then in the order of the map.
std::vector<std::pair<std::string, LintTally::Row>> MostFirst(const std::map<std::string, LintTally::Row>& rows) {
  std::vector<std::pair<std::string, LintTally::Row>> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.findings > b.second.findings; });
  return sorted;
}

const char* KindName(x509::BulkItem::Kind kind) {
  switch (kind) {
    case x509::BulkItem::Kind::kCertificate:
      return "certificate";
    case x509::BulkItem::Kind::kCrl:
      return "crl";
    case x509::BulkItem::Kind::kOther:
      break;
  }
  return "other";
}

std::string Dump(const ordered_json& json) { return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

class TextWriter final : public LintWriter {
 public:
  explicit TextWriter(std::ostream& out) : out_(out) {}

  void Item(const std::string& file, const x509::BulkItem& item) override {
    for (const Finding& finding : item.findings) out_ << fmt::format("{}[{}]: {}\n", file, item.index, finding.Text());
  }
  void Unreadable(const std::string&, const base::Error&) override {}  // stderr says it

  void End(const LintTally& tally, std::size_t files, bool set_rules) override {
    if (tally.findings > 0) {
      out_ << '\n';
      Rules(tally);
      Rows("issuer", tally.by_issuer, tally.other_issuers, IssuerText);
      Rows("month of issue", tally.by_month, tally.other_months, [](const std::string& month) { return month; });
    }
    out_ << base::Counted(tally.certificates, "certificate", "certificates");
    if (tally.crls > 0) out_ << ", " << base::Counted(tally.crls, "CRL", "CRLs");
    if (tally.others > 0) out_ << ", " << base::Counted(tally.others, "other item", "other items");
    out_ << " in " << base::Counted(files, "file", "files") << ": ";
    out_ << (tally.findings == 0 ? "no finding"
                                 : fmt::format("{} in {} of them", base::Counted(tally.findings, "finding", "findings"),
                                               tally.with_findings));
    if (tally.unreadable > 0) out_ << ", " << base::Counted(tally.unreadable, "file", "files") << " not read";
    out_ << '\n';
    if (!set_rules && tally.certificates > 1)
      out_ << "each by itself: the rules between certificates (SET-*) were not applied\n";
  }

 private:
  void Rules(const LintTally& tally) {
    out_ << "findings  rule                 severity       what must be\n";
    std::vector<const Rule*> rules;
    for (const Rule& rule : x509::Rules()) {
      if (tally.by_rule.at(static_cast<std::size_t>(rule.rule)) > 0) rules.push_back(&rule);
    }
    const auto count = [&](const Rule* rule) { return tally.by_rule.at(static_cast<std::size_t>(rule->rule)); };
    std::stable_sort(rules.begin(), rules.end(), [&](const Rule* a, const Rule* b) { return count(a) > count(b); });
    for (const Rule* rule : rules) {
      out_ << fmt::format("{:>8}  {:<20} {:<14} {}\n", count(rule), rule->id, x509::SeverityName(rule->severity),
                          rule->title);
    }
    out_ << '\n';
  }

  template <typename Spell>
  void Rows(const char* what, const std::map<std::string, LintTally::Row>& rows, const LintTally::Row& others,
            Spell spell) {
    out_ << fmt::format("findings  certificates  {}\n", what);
    LintTally::Row rest = others;
    std::size_t shown = 0;
    for (const auto& [key, row] : MostFirst(rows)) {
      if (shown++ < kShown) {
        out_ << fmt::format("{:>8}  {:>12}  {}\n", row.findings, row.certificates, spell(key));
      } else {
        rest.findings += row.findings;
        rest.certificates += row.certificates;
      }
    }
    if (rest.certificates > 0) out_ << fmt::format("{:>8}  {:>12}  others\n", rest.findings, rest.certificates);
    out_ << '\n';
  }

  std::ostream& out_;
};

class JsonWriter final : public LintWriter {
 public:
  explicit JsonWriter(std::ostream& out) : out_(out) {}

  void Begin() override { out_ << "{\"findings\":["; }

  void Item(const std::string& file, const x509::BulkItem& item) override {
    for (const Finding& finding : item.findings) {
      const Rule& rule = finding.facts();
      out_ << (first_ ? "\n" : ",\n")
           << Dump({{"id", rule.id},
                    {"severity", x509::SeverityName(rule.severity)},
                    {"clause", rule.clause},
                    {"file", file},
                    {"index", item.index},
                    {"begins", item.offset},
                    {"kind", KindName(item.kind)},
                    {"offset", finding.offset},
                    {"sentence", finding.message}});
      first_ = false;
    }
  }

  void Unreadable(const std::string& file, const base::Error& error) override {
    if (unreadable_.size() < LintTally::kMostRows) unreadable_.push_back({{"file", file}, {"error", error.message}});
  }

  void End(const LintTally& tally, std::size_t files, bool set_rules) override {
    ordered_json rules = ordered_json::array();
    for (const Rule& rule : x509::Rules()) {
      const std::uint64_t count = tally.by_rule.at(static_cast<std::size_t>(rule.rule));
      if (count > 0)
        rules.push_back({{"id", rule.id},
                         {"severity", x509::SeverityName(rule.severity)},
                         {"clause", rule.clause},
                         {"rule", rule.title},
                         {"findings", count}});
    }
    const ordered_json summary{
        {"files", files},
        {"not_read", tally.unreadable},
        {"certificates", tally.certificates},
        {"crls", tally.crls},
        {"others", tally.others},
        {"findings", tally.findings},
        {"with_findings", tally.with_findings},
        {"set_rules", set_rules},
        {"rules", std::move(rules)},
        {"issuers", Rows("issuer", tally.by_issuer, tally.other_issuers, IssuerText)},
        {"months", Rows("month", tally.by_month, tally.other_months, [](const std::string& month) { return month; })}};
    out_ << "],\n\"unreadable\":" << Dump(unreadable_) << ",\n\"summary\":" << Dump(summary) << "}\n";
  }

 private:
  template <typename Spell>
  static ordered_json Rows(const char* what, const std::map<std::string, LintTally::Row>& rows,
                           const LintTally::Row& others, Spell spell) {
    ordered_json list = ordered_json::array();
    for (const auto& [key, row] : MostFirst(rows))
      list.push_back({{what, spell(key)}, {"certificates", row.certificates}, {"findings", row.findings}});
    if (others.certificates > 0)
      list.push_back({{what, "others"}, {"certificates", others.certificates}, {"findings", others.findings}});
    return list;
  }

  std::ostream& out_;
  bool first_ = true;
  ordered_json unreadable_ = ordered_json::array();
};

class CsvWriter final : public LintWriter {
 public:
  explicit CsvWriter(std::ostream& out) : out_(out) {}

  void Begin() override { out_ << "id,severity,clause,file,index,begins,kind,offset,sentence\r\n"; }

  void Item(const std::string& file, const x509::BulkItem& item) override {
    for (const Finding& finding : item.findings) {
      const Rule& rule = finding.facts();
      out_ << fmt::format("{},{},{},{},{},{},{},{},{}\r\n", rule.id, x509::SeverityName(rule.severity),
                          base::CsvCell(rule.clause), base::CsvCell(file), item.index, item.offset, KindName(item.kind),
                          finding.offset, base::CsvCell(finding.message));
    }
  }
  void Unreadable(const std::string&, const base::Error&) override {}
  void End(const LintTally&, std::size_t, bool) override {}

 private:
  std::ostream& out_;
};

}  // namespace

LintTally::Row& LintTally::RowOf(std::map<std::string, Row>& rows, Row& others_row, std::string key) {
  if (const auto known = rows.find(key); known != rows.end()) return known->second;
  return rows.size() < kMostRows ? rows[std::move(key)] : others_row;
}

void LintTally::Add(const x509::BulkItem& item) {
  const std::uint64_t count = item.findings.size();
  switch (item.kind) {
    case x509::BulkItem::Kind::kCertificate:
      ++certificates;
      break;
    case x509::BulkItem::Kind::kCrl:
      ++crls;
      break;
    case x509::BulkItem::Kind::kOther:
      ++others;
      break;
  }
  findings += count;
  if (count > 0) ++with_findings;
  for (const Finding& finding : item.findings) ++by_rule.at(static_cast<std::size_t>(finding.rule));
  if (item.kind == x509::BulkItem::Kind::kOther) return;
  const std::string month = item.date ? x509::ReadableTime(*item.date).substr(0, 7) : "(unknown)";
  for (Row* row : {&RowOf(by_issuer, other_issuers, std::string(base::AsText(item.issuer))),
                   &RowOf(by_month, other_months, month)}) {
    ++row->certificates;
    row->findings += count;
  }
}

std::unique_ptr<LintWriter> MakeLintWriter(LintFormat format, std::ostream& out) {
  switch (format) {
    case LintFormat::kJson:
      return std::make_unique<JsonWriter>(out);
    case LintFormat::kCsv:
      return std::make_unique<CsvWriter>(out);
    case LintFormat::kText:
      break;
  }
  return std::make_unique<TextWriter>(out);
}

}  // namespace ceremony::cli
