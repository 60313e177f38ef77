#include "tests/support/fake_crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace support::crypto {
namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, Freer<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freer<EC_POINT_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;
using PrivateInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freer<PKCS8_PRIV_KEY_INFO_free>>;

void Must(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "fake token: libcrypto failed: %s\n", what);
  std::abort();
}

Key Own(EVP_PKEY* key) { return key == nullptr ? Key() : Key(key, EVP_PKEY_free); }

struct GroupName {
  const char* name;
  int nid;
  std::size_t size;
};
constexpr std::array<GroupName, 3> kGroups = {
    {{"P-256", NID_X9_62_prime256v1, 32}, {"P-384", NID_secp384r1, 48}, {"P-521", NID_secp521r1, 66}}};

const GroupName* FindGroup(const Key& key) {
  if (EVP_PKEY_get_id(key.get()) != EVP_PKEY_EC) return nullptr;
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key.get(), name.data(), name.size(), &size) != 1) return nullptr;
  for (const GroupName& group : kGroups) {
    if (OBJ_sn2nid(name.data()) == group.nid || std::strcmp(name.data(), group.name) == 0) return &group;
  }
  return nullptr;
}

int NidOf(const char* group_name) {
  for (const GroupName& group : kGroups) {
    if (std::strcmp(group.name, group_name) == 0) return group.nid;
  }
  return NID_undef;
}

Number NumberParam(const Key& key, const char* name) {
  BIGNUM* number = nullptr;
  Must(EVP_PKEY_get_bn_param(key.get(), name, &number) == 1, name);
  return Number(number);
}

Bytes Spell(const BIGNUM* number, std::size_t width) {
  Bytes out(width);
  Must(BN_bn2binpad(number, out.data(), static_cast<int>(width)) == static_cast<int>(width), "BN_bn2binpad");
  return out;
}
Bytes Spell(const Number& number) { return Spell(number.get(), static_cast<std::size_t>(BN_num_bytes(number.get()))); }
Number Read(ByteView bytes) {
  Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  Must(number != nullptr, "BN_bin2bn");
  return number;
}

Key FromParams(const char* type, int selection, const Builder& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
    return nullptr;
  }
  return Own(key);
}

const EVP_MD* Md(base::DigestAlgorithm digest) {
  switch (digest) {
    case base::DigestAlgorithm::kSha1:
      return EVP_sha1();
    case base::DigestAlgorithm::kSha256:
      return EVP_sha256();
    case base::DigestAlgorithm::kSha384:
      return EVP_sha384();
    case base::DigestAlgorithm::kSha512:
      break;
  }
  return EVP_sha512();
}

// Calls an EVP_PKEY_* function of the shape (context, out, &size, in, in_size).
template <typename Function>
std::optional<Bytes> Transform(Function function, const Context& context, ByteView in) {
  std::size_t size = 0;
  if (function(context.get(), nullptr, &size, in.data(), in.size()) != 1) return std::nullopt;
  Bytes out(size);
  if (function(context.get(), out.data(), &size, in.data(), in.size()) != 1) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace

Key GenerateEc(const char* group) { return Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", group)); }
Key GenerateEd25519() { return Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

Key GenerateRsa(unsigned bits, ByteView exponent) {
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  const Number e = Read(exponent);
  EVP_PKEY* key = nullptr;
  Must(context && EVP_PKEY_keygen_init(context.get()) == 1, "EVP_PKEY_keygen_init");
  if (EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) != 1 ||
      EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get()) != 1 || EVP_PKEY_generate(context.get(), &key) != 1) {
    return nullptr;
  }
  return Own(key);
}

Key EcFromScalar(const char* group_name, ByteView scalar) {
  const Group group(EC_GROUP_new_by_curve_name(NidOf(group_name)));
  const Number number = Read(scalar);
  if (!group || BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0) return nullptr;
  const Point point(EC_POINT_new(group.get()));
  Must(EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) == 1, "EC_POINT_mul");
  Bytes encoded(1 + 2 * 66);
  encoded.resize(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                                    encoded.size(), nullptr));
  const Builder builder(OSSL_PARAM_BLD_new());
  Must(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group_name, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()) ==
               1 &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get()) == 1,
       "OSSL_PARAM_BLD_push");
  return FromParams("EC", EVP_PKEY_KEYPAIR, builder);
}

Key RsaPublic(ByteView modulus, ByteView exponent) {
  const Number n = Read(modulus), e = Read(exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  Must(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
       "OSSL_PARAM_BLD_push_BN");
  return FromParams("RSA", EVP_PKEY_PUBLIC_KEY, builder);
}

Bytes Pkcs8(const Key& key) {
  const PrivateInfo info(EVP_PKEY2PKCS8(key.get()));
  Must(info != nullptr, "EVP_PKEY2PKCS8");
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  Must(size > 0, "i2d_PKCS8_PRIV_KEY_INFO");
  Bytes out(der, der + size);
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return out;
}

Key FromPkcs8(ByteView der) {
  const unsigned char* cursor = der.data();
  const PrivateInfo info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  if (!info) return nullptr;
  for (const unsigned char* rest = cursor; rest != der.data() + der.size(); ++rest) {
    if (*rest != 0) return nullptr;
  }
  return Own(EVP_PKCS82PKEY(info.get()));
}

Bytes Spki(const Key& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  Must(size > 0, "i2d_PUBKEY");
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Bytes EcPoint(const Key& key) {
  Bytes out(1 + 2 * 66);
  std::size_t size = 0;
  if (EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519) {
    size = 32;
    Must(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1, "EVP_PKEY_get_raw_public_key");
  } else {
    Must(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, out.data(), out.size(), &size) == 1,
         "pub");
  }
  out.resize(size);
  return out;
}

Bytes Scalar(const Key& key) {
  if (EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519) {
    Bytes out(32);
    std::size_t size = out.size();
    Must(EVP_PKEY_get_raw_private_key(key.get(), out.data(), &size) == 1, "EVP_PKEY_get_raw_private_key");
    return out;
  }
  return Spell(NumberParam(key, OSSL_PKEY_PARAM_PRIV_KEY).get(), SizeOf(key));
}

Bytes RsaModulus(const Key& key) { return Spell(NumberParam(key, OSSL_PKEY_PARAM_RSA_N)); }
Bytes RsaExponent(const Key& key) { return Spell(NumberParam(key, OSSL_PKEY_PARAM_RSA_E)); }
Bytes RsaPrivateExponent(const Key& key) { return Spell(NumberParam(key, OSSL_PKEY_PARAM_RSA_D)); }

std::size_t SizeOf(const Key& key) {
  const GroupName* group = FindGroup(key);
  if (group != nullptr) return group->size;
  return EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519 ? 32 : static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
}

const char* GroupOf(const Key& key) {
  const GroupName* group = FindGroup(key);
  return group == nullptr ? nullptr : group->name;
}

Bytes SignEcdsa(const Key& key, ByteView digest) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Must(context && EVP_PKEY_sign_init(context.get()) == 1, "EVP_PKEY_sign_init");
  const std::optional<Bytes> der = Transform(EVP_PKEY_sign, context, digest);
  Must(der.has_value(), "EVP_PKEY_sign");
  const unsigned char* cursor = der->data();
  const Signature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der->size())));
  Must(signature != nullptr, "d2i_ECDSA_SIG");
  Bytes raw = Spell(ECDSA_SIG_get0_r(signature.get()), SizeOf(key));
  const Bytes s = Spell(ECDSA_SIG_get0_s(signature.get()), SizeOf(key));
  raw.insert(raw.end(), s.begin(), s.end());
  return raw;
}

Bytes HighS(const Key& key, ByteView raw) {
  const std::size_t width = SizeOf(key);
  const Group group(EC_GROUP_new_by_curve_name(FindGroup(key)->nid));
  const Number s = Read(raw.subspan(width));
  const Number other(BN_new());
  Must(BN_sub(other.get(), EC_GROUP_get0_order(group.get()), s.get()) == 1, "BN_sub");
  Bytes out = base::ToBytes(raw.first(width));
  const Bytes high = Spell(BN_cmp(s.get(), other.get()) > 0 ? s.get() : other.get(), width);
  out.insert(out.end(), high.begin(), high.end());
  return out;
}

Bytes SignEd25519(const Key& key, ByteView message) {
  const MdContext context(EVP_MD_CTX_new());
  Bytes out(64);
  std::size_t size = out.size();
  Must(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1,
       "EVP_DigestSign");
  return out;
}

std::optional<Bytes> SignPkcs1(const Key& key, ByteView digest_info) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Must(context && EVP_PKEY_sign_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1,
       "EVP_PKEY_sign_init");
  return Transform(EVP_PKEY_sign, context, digest_info);
}

std::optional<Bytes> SignPss(const Key& key, base::DigestAlgorithm digest, std::size_t salt_size, ByteView hash) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Must(context && EVP_PKEY_sign_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context.get(), Md(digest)) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), Md(digest)) == 1,
       "EVP_PKEY_sign_init");
  if (EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), static_cast<int>(salt_size)) != 1) return std::nullopt;
  return Transform(EVP_PKEY_sign, context, hash);
}

std::optional<Bytes> OaepEncrypt(const Key& key, base::DigestAlgorithm digest, ByteView plain) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Must(context && EVP_PKEY_encrypt_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), Md(digest)) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), Md(digest)) == 1,
       "EVP_PKEY_encrypt_init");
  return Transform(EVP_PKEY_encrypt, context, plain);
}

std::optional<Bytes> OaepDecrypt(const Key& key, base::DigestAlgorithm digest, ByteView encrypted) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Must(context && EVP_PKEY_decrypt_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), Md(digest)) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), Md(digest)) == 1,
       "EVP_PKEY_decrypt_init");
  return Transform(EVP_PKEY_decrypt, context, encrypted);
}

namespace {
std::optional<Bytes> RunWrap(WrapForm form, ByteView aes_key, ByteView in, int encrypt) {
  const std::string name =
      "AES-" + std::to_string(aes_key.size() * 8) + (form == WrapForm::kPadded ? "-WRAP-PAD" : "-WRAP");
  const std::unique_ptr<EVP_CIPHER, Freer<EVP_CIPHER_free>> cipher(EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr));
  const CipherContext context(EVP_CIPHER_CTX_new());
  Must(cipher && context, "EVP_CIPHER_fetch");
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Must(EVP_CipherInit_ex(context.get(), cipher.get(), nullptr, aes_key.data(), nullptr, encrypt) == 1,
       "EVP_CipherInit_ex");
  Bytes out(in.size() + 24);
  int size = 0;
  if (in.empty() || EVP_CipherUpdate(context.get(), out.data(), &size, in.data(), static_cast<int>(in.size())) != 1 ||
      size <= 0) {
    return std::nullopt;
  }
  out.resize(static_cast<std::size_t>(size));
  return out;
}
}  // namespace

std::optional<Bytes> AesWrap(WrapForm form, ByteView aes_key, ByteView plain) {
  return RunWrap(form, aes_key, plain, 1);
}
std::optional<Bytes> AesUnwrap(WrapForm form, ByteView aes_key, ByteView wrapped) {
  return RunWrap(form, aes_key, wrapped, 0);
}

std::optional<Bytes> Ecdh(const Key& key, ByteView peer_point) {
  const GroupName* group = FindGroup(key);
  if (group == nullptr) return std::nullopt;
  const Builder builder(OSSL_PARAM_BLD_new());
  Must(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group->name, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, peer_point.data(),
                                            peer_point.size()) == 1,
       "OSSL_PARAM_BLD_push");
  const Key peer = FromParams("EC", EVP_PKEY_PUBLIC_KEY, builder);
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!peer || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1) {
    return std::nullopt;
  }
  std::size_t size = 0;
  if (EVP_PKEY_derive(context.get(), nullptr, &size) != 1) return std::nullopt;
  Bytes out(size);
  if (EVP_PKEY_derive(context.get(), out.data(), &size) != 1) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace support::crypto
