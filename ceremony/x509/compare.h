// Comparison compares a certificate or TBS with its profile, field by field: one
// view for people, and one list of findings for programs.
#ifndef CEREMONY_X509_COMPARE_H_
#define CEREMONY_X509_COMPARE_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/x509/profile.h"
#include "ceremony/x509/tbs.h"
#include "ceremony/x509/view.h"

namespace ceremony::x509 {

struct ComparisonRow {
  std::string field;  // "subject", "extension keyUsage"
  std::string profile_says;
  std::string certificate_has;
  bool equal = false;
  std::size_t offset = 0;  // octets from the start of the certificate or TBS
};

class Comparison final {
 public:
  // `what` is what is compared, for people: "certificate", "CRL", "request".
  explicit Comparison(std::string what = "certificate") : what_(std::move(what)) {}

  void Add(ComparisonRow row) { rows_.push_back(std::move(row)); }
  const std::vector<ComparisonRow>& rows() const { return rows_; }
  bool AllEqual() const;
  // ToFindings gives one finding (COMPARE-01) for each row that is not equal.
  std::vector<Finding> ToFindings() const;
  // Text is the table in monospace, LF after each line; a row that differs
  // starts with '!', one that is equal with '='.
  std::string Text() const;

 private:
  std::string what_;
  std::vector<ComparisonRow> rows_;
};

// CompareWithProfile compares what was decoded with what the profile says; with
// `input`, also with the exact values it gave (serial, key, dates, issuer).
// Bytes are compared, not their texts. `file_start` is where offsets count from.
Comparison CompareWithProfile(const TbsView& tbs, const Profile& profile, const TbsInput* input,
                              const std::uint8_t* file_start);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_COMPARE_H_
