// Lint checks a certificate against X.690 and RFC 5280, also where OpenSSL and Java
// are lenient. It checks only the form of a signature; FinishCertificate verifies it.
#ifndef CEREMONY_X509_LINT_H_
#define CEREMONY_X509_LINT_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ceremony/x509/finding.h"
#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// Domain says whose rules apply beyond X.690 and RFC 5280.
enum class Domain : std::uint8_t {
  kNone,
  kByPolicy,  // SMKI-* for certificates that name a policy of smart metering, WEB-* for those that name one of servers
  kSmki,      // SMKI-* for all
  kWebPki,    // WEB-* for all
};

// Linter keeps what is costly to set up (the curves) for many certificates.
// One thread at a time; make one for each thread.
class Linter final {
 public:
  explicit Linter(Domain domain = Domain::kNone);
  ~Linter();
  Linter(Linter&&) noexcept;
  Linter& operator=(Linter&&) noexcept;

  // CheckTbs and CheckCertificate parse and run every rule. `view` is filled as
  // far as the bytes allow; the result is what ParseTbs and ParseCertificate say.
  bool CheckTbs(base::ByteView bytes, TbsView& view, Findings& findings) const;
  bool CheckCertificate(base::ByteView bytes, CertificateView& view, Findings& findings) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// LintCertificate and LintTbsBytes are the short form for one file. Its policy chooses
// the domain, so that a ceremony and its record are checked by the same rules.
std::vector<Finding> LintCertificate(base::ByteView der);
std::vector<Finding> LintTbsBytes(base::ByteView der);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_LINT_H_
