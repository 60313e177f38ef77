// What the X.509 tests share: keys in software in place of a token, the Root
// OCA profile, and other people's programs.
#ifndef TESTS_UNIT_X509_SUPPORT_H_
#define TESTS_UNIT_X509_SUPPORT_H_

#include <string>
#include <string_view>

#include "ceremony/x509/certificate.h"
#include "ceremony/x509/issue.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/tbs.h"
#include "hsm/base/bytes.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"

namespace test {

// 2020-02-03 04:05:06 UTC: past for every clock, and 50 years on still ahead.
inline constexpr std::int64_t kNow = 1580702706;

inline base::Bytes Hex(std::string_view hex) { return base::HexDecode(hex).value(); }

base::PublicKey PublicKeyOf(const char* private_pem);

// SignWith makes the signature that a token would, as FinishCertificate wants it.
base::Bytes SignWith(const char* private_pem, base::SignatureScheme scheme, base::ByteView message);

ceremony::x509::Profile RootOcaProfile();
ceremony::x509::Profile IssuingOcaProfile();
// WithoutDomain is the profile under a policy of nobody, which X.690 and RFC 5280 alone hold it to.
ceremony::x509::Profile WithoutDomain(ceremony::x509::Profile profile);
ceremony::x509::TbsInput RootInput(const char* private_pem);

// Issue goes the whole way from profile to certificate; it fails the test on the first refusal.
ceremony::x509::Certificate Issue(const ceremony::x509::Profile& profile, const ceremony::x509::TbsInput& input,
                                  const char* issuer_key);
// RootOca is a Root OCA certificate for kP256; IssuingOca is issued by it for kP256Other.
ceremony::x509::Certificate RootOca();
ceremony::x509::Certificate IssuingOca(const ceremony::x509::Certificate& root);

// Has finds a rule by its id in findings.
bool Has(const std::vector<ceremony::x509::Finding>& findings, std::string_view rule);
std::string Ids(const std::vector<ceremony::x509::Finding>& findings);  // "A, B", in order

// Folder is a temporary folder that goes with the object.
class Folder final {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  // Write returns the path of the new file.
  std::string Write(const std::string& name, std::string_view content) const;

 private:
  std::string path_;
};

// Run runs a shell command and returns its exit status and all it printed.
struct Output {
  int status = -1;
  std::string text;
};
Output Run(const std::string& command);

}  // namespace test

#endif  // TESTS_UNIT_X509_SUPPORT_H_
