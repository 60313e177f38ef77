// Private keys of test people, made by `openssl genpkey` and `openssl pkcs8`.
#ifndef TESTS_UNIT_RECORD_TEST_KEYS_H_
#define TESTS_UNIT_RECORD_TEST_KEYS_H_

#include <memory>
#include <string>
#include <string_view>

#include "ceremony/record/software_signer.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {

inline constexpr std::string_view kTestKeys[] = {
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmF6NU+X2Nvm74GLh+7GkeXwIIE+"
    "qqWkd6m7dAUABlSShRANCAATOPJ0wm5LSctGSEky7QZugUiNlTQqbrffhsP/"
    "ibnF0fGD2ZsXwfU8KroLkA//RCA++uNs+pvkRrMu4pwvOdPK6",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggS7reJ8DQjOKwIvsX0LB87390Mb5zAVWN0Y/"
    "iV56rHahRANCAATrah6Wcb4Jn9gDenRgRKC1vc4Qox3Z8yyl4zhJRGh7hzOGC8nTfJRGoWo1mEFZmhVvIlqcVelzh7XtJIs/"
    "ugEi",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7P/"
    "QPnPipOOIeK4CRrLskQw3SqoBRtyPCVzq6g2i9guhRANCAAQr4eSJ6qKcdA6jlW43VnediT31x8vq3WrPJwKp7RZ/"
    "gLbu7ErLkSml3Ox3VlMhycjJuKhxSsM34QfOb9tlKqDp",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHiglL6EMWrcb2LGttThN1E/"
    "CIAUT5iQzRzNC+iDQnKqhRANCAAQV4VgQJaRHbQQbyYJcqeSejExFP9YZsyTlW/YsmykQm+UGQpkjIoKLCq1yzWJiesv4rr+EmnpJvjk9cv2W/tei",
};
inline constexpr std::string_view kTestEd25519Key = "MC4CAQAwBQYDK2VwBCIEIO7BPFM+fSdwDVgpK2osC4cwQvZb9pUbz1/cDhZfUs9m";

inline std::unique_ptr<SoftwareSigner> TestSigner(std::string name, std::string_view pkcs8) {
  return SoftwareSigner::FromPkcs8(std::move(name), base::SecretBytes::CopyOf(*base::Base64Decode(pkcs8))).value();
}

}  // namespace ceremony::record

#endif  // TESTS_UNIT_RECORD_TEST_KEYS_H_
