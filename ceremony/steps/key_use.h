// Statements of use: how often a key signed, and when first and last.
#ifndef CEREMONY_STEPS_KEY_USE_H_
#define CEREMONY_STEPS_KEY_USE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "ceremony/estate/estate.h"
#include "ceremony/script/policy.h"
#include "ceremony/script/roster.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::steps {

// UseStatement is what a person states. The text that they sign has five lines:
//   keyceremony key usage
//   key <SHA-256 of the SubjectPublicKeyInfo, hex>
//   count <number>
//   first <RFC 3339, UTC, or "never">
//   last <likewise>
// The signature is detached: strict DER ECDSA with SHA-256 by a key of the roster, as
// `openssl dgst -sha256 -sign` makes it.
struct UseStatement {
  std::string spki_sha256;
  std::int64_t count = 0;
  std::string first;  // empty: never
  std::string last;
};

// ParseUseStatement is strict: these lines, in this order, and nothing else (KEY-USE-02).
base::Result<UseStatement> ParseUseStatement(std::string_view text);

// CheckUseSignature verifies the statement under a person's signing key (KEY-USE-03).
base::Result<void> CheckUseSignature(const script::Person& person, std::string_view text, base::ByteView signature);

// CheckUse compares a statement with the archive. KEY-USE-01: it is about another key, it counts fewer certificates
// than the archive has, or its times are malformed, out of order or in the future. EST-USE-01: it says less than an
// earlier one.
base::Result<void> CheckUse(const UseStatement& statement, const estate::Key& key, const estate::Estate& estate,
                            const std::string& now);

// CertificatesBy counts the certificates in the archive that a key has signed, without its
// own self-signed one.
std::int64_t CertificatesBy(const estate::Estate& estate, const std::string& key);

// CapState says whether a key has reached a cap of the policy by a given time.
struct CapState {
  std::string reached;  // RFC 3339: when the first cap was reached; empty if none was
  std::string which;    // "certificates" or "days"; empty as above
};
// CapOf: the cap on the count was reached at the last known use, the cap on the age its
// number of days after the key was made. `cap` may be null.
CapState CapOf(const script::KeyCap* cap, const estate::Key& key, const UseStatement& use, const std::string& now);

// FindCap returns nullptr if the policy sets no cap for this use.
const script::KeyCap* FindCap(const script::Policy& policy, std::string_view use);

// Times as text: AddDays and AddMonths take a day or a time and return a day; a day that
// a month does not have becomes its last. MinutesBetween is rounded down. kInvalidInput for what is no time.
base::Result<std::string> AddDays(std::string_view time, std::int64_t days);
base::Result<std::string> AddMonths(std::string_view time, int months);
base::Result<std::int64_t> MinutesBetween(std::string_view from, std::string_view to);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_KEY_USE_H_
