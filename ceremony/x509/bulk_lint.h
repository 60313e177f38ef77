// BulkLint lints any number of certificates and CRLs from files, in order, on
// several threads, with memory that does not grow with their number.
#ifndef CEREMONY_X509_BULK_LINT_H_
#define CEREMONY_X509_BULK_LINT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/x509/bundle.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/profile.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// Whether certificates are also compared with each other (rules SET-*). That reads
// everything twice and keeps data of each certificate, so by default it is done
// only for up to kMostBySelf certificates.
enum class SetRules : std::uint8_t { kUpToMost, kAlways, kNever };
inline constexpr std::uint32_t kMostBySelf = 10'000;

struct BulkOptions {
  unsigned jobs = 1;
  SetRules set_rules = SetRules::kUpToMost;
  Domain domain = Domain::kByPolicy;
  const Profile* profile = nullptr;  // not owned; nullptr: none
};

// What was found in one item, in the order of the input.
struct BulkItem {
  enum class Kind : std::uint8_t { kCertificate, kCrl, kOther };
  std::uint32_t file = 0;    // index into the paths given
  std::uint32_t index = 0;   // in the file, from 1
  std::uint64_t offset = 0;  // where it begins in the file
  Kind kind = Kind::kOther;
  base::ByteView issuer;             // DER Name; empty when it could not be read. Gone after the call
  std::optional<std::int64_t> date;  // notBefore or thisUpdate
  std::vector<Finding> findings;
};

// BulkSink takes the results, in the order of the input, on the caller's thread.
class BulkSink {
 public:
  virtual ~BulkSink() = default;
  virtual void Item(const BulkItem& item) = 0;
  // Unreadable says that a file could not be read, or not to its end.
  virtual void Unreadable(std::uint32_t file, const base::Error& error) = 0;
  // Progress is called now and then with the octets read of those known to come.
  virtual void Progress(std::uint64_t items, std::uint64_t octets) = 0;
  // Stop returns true to end early (the output is gone).
  virtual bool Stop() = 0;
};

struct BulkOutcome {
  bool set_rules = false;  // whether certificates were compared with each other
};

// BulkLint reads `paths`: regular files, and "-" for standard input.
base::Result<BulkOutcome> BulkLint(const std::vector<std::string>& paths, const BulkOptions& options, BulkSink& sink);

// ListFiles puts the regular files below a folder, sorted by name in each
// folder, in place of it; links to folders are not followed. Anything that is neither
// file nor folder, or cannot be listed, stays in the list: reading it is refused.
std::vector<std::string> ListFiles(const std::vector<std::string>& arguments);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_BULK_LINT_H_
