#include "ceremony/record/timestamp.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "hsm/base/owned.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr int kNonceBits = 64;

using base::Owned;
using Request = Owned<TS_REQ, TS_REQ_free>;
using Response = Owned<TS_RESP, TS_RESP_free>;
using Imprint = Owned<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using Algorithm = Owned<X509_ALGOR, X509_ALGOR_free>;
using Number = Owned<BIGNUM, BN_free>;
using Integer = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Context = Owned<TS_VERIFY_CTX, TS_VERIFY_CTX_free>;
using Certificate = Owned<X509, X509_free>;
using Bio = Owned<BIO, BIO_free_all>;

std::string OpensslWords() {
  const unsigned long code = ERR_peek_last_error();
  const char* data = nullptr;
  int flags = 0;
  ERR_peek_last_error_data(&data, &flags);
  const char* const reason = ERR_reason_error_string(code);
  std::string words = reason != nullptr ? reason : "openssl does not say why";
  if (data != nullptr && *data != '\0') words += fmt::format(" ({})", data);
  ERR_clear_error();
  return words;
}

base::Error Bad(const std::string& why) { return MakeError(ErrorCode::kCorrupt, "the time-stamp: " + why); }
base::Error Failed() { return MakeError(ErrorCode::kInternal, "libcrypto: " + OpensslWords()); }

// Decode takes DER with nothing behind it.
template <typename T, void (*kFree)(T*)>
Owned<T, kFree> Decode(base::ByteView der, T* (*decode)(T**, const unsigned char**, long)) {
  const unsigned char* at = der.data();
  Owned<T, kFree> decoded(der.size() > kMaxTimestampBytes ? nullptr
                                                          : decode(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) decoded.reset();
  return decoded;
}

Result<std::tm> TimeOf(const ASN1_GENERALIZEDTIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return Bad("its time is no time");
  return parts;
}

// RootsIn fills a store whose clock stands still at `at`.
Result<X509_STORE*> RootsIn(std::string_view pem, std::time_t at) {
  X509_STORE* const store = X509_STORE_new();
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::size_t count = 0;
  while (store != nullptr && bio != nullptr) {
    const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    X509_STORE_add_cert(store, certificate.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) {
    X509_STORE_free(store);
    return MakeError(ErrorCode::kInvalidInput, "there is no certificate (PEM) to trust the time-stamp by");
  }
  X509_VERIFY_PARAM* const rules = X509_STORE_get0_param(store);
  X509_VERIFY_PARAM_set_time(rules, at);
  return store;
}

}  // namespace

Result<base::Bytes> MakeTimestampRequest(const base::Sha256Digest& digest) {
  const Request request(TS_REQ_new());
  const Imprint imprint(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  const Number random(BN_new());
  if (!request || !imprint || !algorithm || !random) return Failed();
  X509_ALGOR_set_md(algorithm.get(), EVP_sha256());
  base::Bytes copy(digest.begin(), digest.end());
  // One bit at the top, so that the nonce is never 0 and always as long.
  if (TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) != 1 ||
      TS_MSG_IMPRINT_set_msg(imprint.get(), copy.data(), static_cast<int>(copy.size())) != 1 ||
      BN_rand(random.get(), kNonceBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1) {
    return Failed();
  }
  const Integer nonce(BN_to_ASN1_INTEGER(random.get(), nullptr));
  if (!nonce || TS_REQ_set_version(request.get(), 1) != 1 ||
      TS_REQ_set_msg_imprint(request.get(), imprint.get()) != 1 || TS_REQ_set_nonce(request.get(), nonce.get()) != 1 ||
      TS_REQ_set_cert_req(request.get(), 1) != 1) {
    return Failed();
  }
  const int size = i2d_TS_REQ(request.get(), nullptr);
  if (size <= 0) return Failed();
  base::Bytes der(static_cast<std::size_t>(size));
  unsigned char* at = der.data();
  i2d_TS_REQ(request.get(), &at);
  return der;
}

Result<Timestamp> VerifyTimestamp(base::ByteView response_der, const base::Sha256Digest& digest,
                                  base::ByteView request_der, std::string_view roots) {
  ERR_clear_error();
  const Response response = Decode<TS_RESP, TS_RESP_free>(response_der, d2i_TS_RESP);
  if (response == nullptr) return Bad("it is no TimeStampResp, or bytes follow it");
  const TS_STATUS_INFO* const status = TS_RESP_get_status_info(response.get());
  const long granted = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
  if (granted != 0 && granted != 1) return Bad(fmt::format("the authority refused it (status {})", granted));
  TS_TST_INFO* const info = TS_RESP_get_tst_info(response.get());
  if (info == nullptr) return Bad("it holds no token");
  KC_ASSIGN_OR_RETURN(std::tm time, TimeOf(TS_TST_INFO_get_time(info)));
  const Context context(TS_VERIFY_CTX_new());
  if (context == nullptr) return Failed();
  // A response to no known request may have any nonce.
  unsigned flags = TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_IMPRINT;
  if (!request_der.empty()) {
    const Request request = Decode<TS_REQ, TS_REQ_free>(request_der, d2i_TS_REQ);
    if (request == nullptr) return Bad("its request is no TimeStampReq");
    if (TS_REQ_to_TS_VERIFY_CTX(request.get(), context.get()) == nullptr) return Failed();
    flags |= TS_VFY_NONCE;
  }
  // The imprint is compared with the file's own digest, whatever the request says.
  TS_MSG_IMPRINT* const stamped = TS_TST_INFO_get_msg_imprint(info);
  const X509_ALGOR* const algorithm = TS_MSG_IMPRINT_get_algo(stamped);
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  const ASN1_OCTET_STRING* const message = TS_MSG_IMPRINT_get_msg(stamped);
  const base::ByteView imprint(ASN1_STRING_get0_data(message), static_cast<std::size_t>(ASN1_STRING_length(message)));
  if (OBJ_obj2nid(object) != NID_sha256 || !std::equal(imprint.begin(), imprint.end(), digest.begin(), digest.end())) {
    return Bad("it is not over the SHA-256 of this checkpoint");
  }
  KC_ASSIGN_OR_RETURN(X509_STORE* const store, RootsIn(roots, timegm(&time)));
  TS_VERIFY_CTX_set_store(context.get(), store);  // takes the store over
  flags &= ~TS_VFY_IMPRINT;                       // compared above
  TS_VERIFY_CTX_set_flags(context.get(), static_cast<int>(flags));
  if (TS_RESP_verify_response(context.get(), response.get()) != 1) return Bad(OpensslWords());
  std::string authority = "unknown";
  STACK_OF(X509)* const signers = PKCS7_get0_signers(TS_RESP_get_token(response.get()), nullptr, 0);
  if (signers != nullptr && sk_X509_num(signers) > 0) {
    const Bio bio(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio.get(), X509_get_subject_name(sk_X509_value(signers, 0)), 0, XN_FLAG_RFC2253);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    authority.assign(text, static_cast<std::size_t>(size));
  }
  sk_X509_free(signers);
  return Timestamp{fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", time.tm_year + 1900, time.tm_mon + 1,
                               time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec),
                   authority};
}

}  // namespace ceremony::record
