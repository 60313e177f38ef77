// Checks rules that hold between certificates: names, key identifiers, keys,
// serial numbers, validity, path lengths, signatures.
//
// Two passes over the same certificates: Add for each, Seal, then Check for
// each. The set keeps the certificates of CAs. Of every other certificate it
// keeps truncated SHA-256 values, about 150 octets. After Seal nothing changes,
// and any number of threads may call Check.
#ifndef CEREMONY_X509_LINT_SET_H_
#define CEREMONY_X509_LINT_SET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ceremony/x509/finding.h"
#include "ceremony/x509/view.h"

namespace ceremony::x509 {

class CertificateSet final {
 public:
  CertificateSet();
  ~CertificateSet();
  CertificateSet(CertificateSet&&) noexcept;
  CertificateSet& operator=(CertificateSet&&) noexcept;

  // Add copies what it needs of a certificate that could be parsed. `number` is
  // the caller's, to name the certificate in findings about others.
  void Add(const CertificateView& certificate, std::uint32_t number);
  void Seal();
  std::size_t size() const;

  // Check adds what is wrong between this certificate of the set and others:
  // rules SET-*. `name_of` spells a certificate by its number ("b.pem[3]").
  using NameOf = std::function<std::string(std::uint32_t)>;
  void Check(const CertificateView& certificate, const NameOf& name_of, Findings& findings) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_LINT_SET_H_
