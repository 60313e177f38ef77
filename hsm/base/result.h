// Result<T> carries a value or an Error; no exception crosses a folder.
//
// A function that can fail returns Result<T>; the caller must look at it.
// An Error is written for the person who will read it in the room: what
// failed, the object and both values by name, and a way out.
#ifndef HSM_BASE_RESULT_H_
#define HSM_BASE_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace base {

// What a program does next depends on the code alone; people read the message.
// cli/exit_code.h maps each code to the exit status of the command contract.
enum class ErrorCode : std::uint8_t {
  kInvalidInput,  // a file, argument or typed value is not what it must be
  kNotFound,      // the thing that was asked for is not there
  kAmbiguous,     // more than one thing answers to a name that must be unique
  kRefused,       // a rule of ours forbids it; `rule` says which
  kToken,         // a token refused, failed or is missing; `rv` has its words
  kIo,            // a record or an output could not be read or written
  kAborted,       // people stopped it, or a signal did
  kNoQuorum,      // not enough custodians approved
  kCorrupt,       // bytes that must verify do not
  kUnsupported,   // valid, but this token or this version cannot do it
  kInternal,      // an invariant of ours is broken: a bug
};

// ErrorCodeName returns the code in words for logs and tests ("not-found").
const char* ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;              // lower case, no full stop; never a secret
  std::string rule;                 // "KEY-ATTR-02": stable id, required for kRefused
  std::string hint;                 // the way out, for `keyceremony: hint:`
  std::string call;                 // the C_ function or system call that failed
  std::optional<unsigned long> rv;  // the exact CK_RV of that call

  // WithHint and WithRule return the error with that part set, so that a
  // boundary can add what it knows in one expression.
  Error WithHint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
  Error WithRule(std::string id) && {
    rule = std::move(id);
    return std::move(*this);
  }
  // Prefixed puts "context: " before the message.
  Error Prefixed(const std::string& context) && {
    message.insert(0, context + ": ");
    return std::move(*this);
  }
};

// MakeError is the short form for errors without a call.
inline Error MakeError(ErrorCode code, std::string message) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  return error;
}

// Refusal is an error of a rule of ours; every one has its rule id.
inline Error Refusal(std::string rule, std::string message, std::string hint = {}) {
  Error error;
  error.code = ErrorCode::kRefused;
  error.rule = std::move(rule);
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

// SystemError translates errno of the named system call on the named object.
Error SystemError(const char* call, const std::string& object, int error_number);

namespace internal {
[[noreturn]] void DieOnMissingValue(const Error& error);
[[noreturn]] void DieOnMissingError();
}  // namespace internal

// Result<T> is one of the two. To take the one that is not there ends the
// program with the words "keyceremony: bug".
template <typename T>
class [[nodiscard]] Result final {
 public:
  // Implicit on purpose: `return value;` and `return MakeError(...);` read as they should.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& {
    if (!ok()) internal::DieOnMissingValue(std::get<1>(state_));
    return std::get<0>(state_);
  }
  T& value() & {
    if (!ok()) internal::DieOnMissingValue(std::get<1>(state_));
    return std::get<0>(state_);
  }
  T&& value() && {
    if (!ok()) internal::DieOnMissingValue(std::get<1>(state_));
    return std::get<0>(std::move(state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const& {
    if (ok()) internal::DieOnMissingError();
    return std::get<1>(state_);
  }
  Error&& error() && {
    if (ok()) internal::DieOnMissingError();
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> final {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    if (ok()) internal::DieOnMissingError();
    return *error_;
  }
  Error&& error() && {
    if (ok()) internal::DieOnMissingError();
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace base

// The only macros of the project: hand an error up, or go on with the value.
#define KC_CONCAT_INNER(a, b) a##b
#define KC_CONCAT(a, b) KC_CONCAT_INNER(a, b)
#define KC_RETURN_IF_ERROR(expression)                    \
  do {                                                    \
    if (auto kc_result = (expression); !kc_result.ok()) { \
      return std::move(kc_result).error();                \
    }                                                     \
  } while (false)
#define KC_ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                      \
  if (!temporary.ok()) return std::move(temporary).error();           \
  declaration = std::move(temporary).value()
#define KC_ASSIGN_OR_RETURN(declaration, expression) \
  KC_ASSIGN_OR_RETURN_INNER(KC_CONCAT(kc_result_, __LINE__), declaration, expression)

#endif  // HSM_BASE_RESULT_H_
