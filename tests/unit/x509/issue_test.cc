#include "ceremony/x509/issue.h"

#include <doctest/doctest.h>

#include "ceremony/x509/lint.h"
#include "ceremony/x509/openssl_check.h"
#include "support.h"
#include "test_keys.h"

using namespace ceremony::x509;
using namespace test;

TEST_CASE("the Root OCA certificate is accepted by us, by OpenSSL's library, by openssl verify and by certtool") {
  const Certificate root = RootOca();
  CHECK(Ids(LintCertificate(root.der())) == "");
  CHECK(OpensslVerify(root.der(), {}, {base::ToBytes(root.der())}, kNow + 1).empty());
  const Folder folder;
  const std::string path = folder.Write("root.pem", root.Pem());
  const Output openssl = Run("openssl verify -x509_strict -check_ss_sig -attime " + std::to_string(kNow + 1) + " -CAfile " + path + " " + path);
  CHECK(openssl.text == path + ": OK\n");
  CHECK(openssl.status == 0);
  const Output certtool = Run("certtool --verify --verify-profile medium --load-ca-certificate " + path + " --infile " + path);
  CHECK(certtool.status == 0);
  INFO(certtool.text);
  CHECK(certtool.text.find("Verified. The certificate is trusted.") != std::string::npos);
}
