// What the files of this folder share to work with libcrypto: owners of its
// objects, and how its failures are told. Not for others: nobody above base sees it.
#ifndef HSM_BASE_LIBCRYPTO_H_
#define HSM_BASE_LIBCRYPTO_H_

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <memory>

#include "hsm/base/owned.h"

namespace base {

using KeyPointer = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using MdContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using BigNumber = Owned<BIGNUM, BN_free>;
using BigContext = Owned<BN_CTX, BN_CTX_free>;
using Point = Owned<EC_POINT, EC_POINT_free>;
using ParamBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;

// A refusal of ours is in the Result; it leaves nothing on the thread's libcrypto error queue.
struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;  // a mark is popped once
  ErrorMark& operator=(const ErrorMark&) = delete;
};

}  // namespace base

#endif  // HSM_BASE_LIBCRYPTO_H_
