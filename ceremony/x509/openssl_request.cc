// What OpenSSL says of a certification request.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>

#include "ceremony/x509/openssl_parts.h"
#include "ceremony/x509/request.h"
#include "hsm/base/owned.h"

namespace ceremony::x509 {

base::Result<void> OpensslReadsRequest(base::ByteView der, RequestCheck check) {
  const auto bad = [](const std::string& why) {
    return base::MakeError(base::ErrorCode::kCorrupt, "OpenSSL " + why + ": " + openssl::LastError());
  };
  ERR_clear_error();
  const unsigned char* at = der.data();
  const base::Owned<X509_REQ, X509_REQ_free> request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request) return bad("cannot decode it");
  if (at != der.data() + der.size()) return bad("leaves octets over");
  Findings findings(der);
  RequestView view;
  unsigned char* out = nullptr;
  const int size = i2d_re_X509_REQ_tbs(request.get(), &out);
  const base::Bytes again(out, out + std::max(size, 0));
  OPENSSL_free(out);
  if (!ParseRequest(der, view, findings) ||
      !std::equal(again.begin(), again.end(), view.info.whole.begin(), view.info.whole.end()))
    return bad("encodes what it read as other bytes than it was given");
  if (check == RequestCheck::kDecode) return {};
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr) return bad("cannot read the public key");
  if (X509_REQ_verify(request.get(), key) != 1) return bad("does not verify the signature");
  return {};
}

}  // namespace ceremony::x509
