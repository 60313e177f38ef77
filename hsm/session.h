// Session owns one open Cryptoki session and keeps its Token, and so the loaded
// module, alive. One thread at a time. Login lives in LoginScope, because
// PKCS#11 shares it between all sessions of a token.
#ifndef HSM_SESSION_H_
#define HSM_SESSION_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hsm/base/secret_bytes.h"
#include "hsm/describe.h"
#include "hsm/object.h"
#include "hsm/template.h"
#include "hsm/token.h"

namespace hsm {

class Session final {
 public:
  enum class Access : std::uint8_t { kReadOnly, kReadWrite };

  // Open fails with kToken if the token was removed or exchanged since it was located.
  static Result<Session> Open(std::shared_ptr<Token> token, Access access);

  Session(Session&& other) noexcept;
  Session& operator=(Session&& other) noexcept;
  Session(const Session&) = delete;  // two owners would close it twice
  Session& operator=(const Session&) = delete;
  // Closes; a failure goes to the observer. Never destroys an object, but a
  // token forgets session objects with the session that made them.
  ~Session();

  // Close reports a failure that the destructor could only pass to the observer.
  Result<void> Close();

  // FindAll returns every object that matches, in the token's order; an empty
  // template matches all. The search is closed on every path. kToken after
  // kMaxObjects objects, or when the module breaks the rules of a search.
  Result<std::vector<Object>> FindAll(const Template& match);
  // FindHandles is FindAll without reading the objects' names.
  Result<std::vector<CK_OBJECT_HANDLE>> FindHandles(const Template& match);
  static constexpr std::size_t kMaxObjects = 1'000'000;

  // ReadAttributes reads as few times as it can: all attributes at once into
  // buffers of a guessed size, then again what did not fit. An attribute that
  // the object lacks or keeps is a state in the set, not an error; an error is a call that failed as a whole (the
  // object is gone, the device is dead). Values above kMaxAttributeBytes are kUnreadable. Key material is never asked
  // for: a type whose value may be secret is kInternal.
  Result<AttributeSet> ReadAttributes(CK_OBJECT_HANDLE object, std::span<const CK_ATTRIBUTE_TYPE> types);
  static constexpr std::size_t kMaxAttributeBytes = 65536;

  // ReadSecret reads the value of one attribute that may be secret (a shared
  // secret after C_DeriveKey). kToken with the rv if the token keeps it.
  Result<base::SecretBytes> ReadSecret(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

  // ReadObject names the object of a handle.
  Result<Object> ReadObject(CK_OBJECT_HANDLE handle);

  // The consequential ones pass the observer (Before, After).
  //
  // SetAttributes changes attributes and reads them back: kCorrupt OBJECT-SET-01
  // names those that the token ignored, with both values.
  Result<void> SetAttributes(const Object& object, const Template& attributes);
  // Destroy destroys one object and checks that its handle is dead: kCorrupt OBJECT-DESTROY-01 if it is not. That
  // proves nothing about the token's storage. To prove absence, reinitialise the module and take a whole inventory.
  Result<void> Destroy(const Object& object);

  // GenerateRandom returns bytes of the token's own generator (at most 65536).
  Result<Bytes> GenerateRandom(std::size_t size);

  // State reads which user is logged in (CKS_...).
  Result<CK_STATE> State();

  // 0 when moved from, closed, or older than the module's last Reinitialise.
  CK_SESSION_HANDLE handle() const;
  Token& token() const { return *token_; }
  const std::shared_ptr<Token>& shared_token() const { return token_; }
  CryptokiApi& api() const { return token_->module().api(); }
  const Quirks& quirks() const { return token_->quirks(); }

 private:
  Session(std::shared_ptr<Token> token, CK_SESSION_HANDLE handle);

  std::shared_ptr<Token> token_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  std::uint64_t generation_ = 0;
};

}  // namespace hsm

#endif  // HSM_SESSION_H_
