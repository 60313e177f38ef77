// Explain shows an auditor what a verdict rests on, and how to reach it with
// sha256sum, openssl and jq alone. Every line that begins with "  $ " runs in bash
// as it is printed; a test runs them all.
#ifndef CEREMONY_VERIFY_EXPLAIN_H_
#define CEREMONY_VERIFY_EXPLAIN_H_

#include <iosfwd>
#include <string>

#include "ceremony/record/verify.h"

namespace ceremony::verify {

// `path` is the record's folder as the reader gave it, `roster` their roster, or empty.
void Explain(const record::RecordReport& report, const std::string& path, const std::string& roster, std::ostream& out);

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_EXPLAIN_H_
