// What OpenSSL says of a certification request.
#include <openssl/x509.h>

#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/openssl_parts.h"
#include "ceremony/x509/request.h"
#include "hsm/base/owned.h"

namespace ceremony::x509 {

base::Result<void> OpensslReadsRequest(base::ByteView der, RequestCheck check) {
  const auto bad = [](const std::string& why) {
    return base::MakeError(base::ErrorCode::kCorrupt, "OpenSSL " + why + ": " + openssl::LastError());
  };
  using RequestPointer = base::Owned<X509_REQ, X509_REQ_free>;
  KC_ASSIGN_OR_RETURN(const RequestPointer request, openssl::Decoded<RequestPointer>(d2i_X509_REQ, der));
  Findings findings(der);
  RequestView view;
  if (!ParseRequest(der, view, findings)) return parts::Malformed("certification request", findings);
  KC_RETURN_IF_ERROR(openssl::CheckSameTbs(i2d_re_X509_REQ_tbs, request.get(), view.info.whole));
  if (check == RequestCheck::kDecode) return {};
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr) return bad("cannot read the public key");
  if (X509_REQ_verify(request.get(), key) != 1) return bad("does not verify the signature");
  return {};
}

}  // namespace ceremony::x509
