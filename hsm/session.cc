#include "hsm/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "hsm/base/encoding.h"
#include "hsm/consequential.h"
#include "hsm/describe.h"

namespace hsm {
namespace {

constexpr std::array<CK_ATTRIBUTE_TYPE, 4> kNameAttributes = {CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL, CKA_ID};
constexpr std::size_t kMaxRandom = 65536;

// The attributes of a template that may be read back.
std::vector<CK_ATTRIBUTE_TYPE> Readable(const Template& attributes) {
  std::vector<CK_ATTRIBUTE_TYPE> types = attributes.Types();
  std::erase_if(types, [](CK_ATTRIBUTE_TYPE type) {
    const AttributeFacts* const facts = FindAttribute(type);
    return facts == nullptr || facts->secret;
  });
  return types;
}

// An attribute that the token took and did not keep.
Result<void> CheckKept(const std::string& name, const Template& stated, const AttributeSet& actual,
                       std::span<const CK_ATTRIBUTE_TYPE> types) {
  std::string differences;
  for (const CK_ATTRIBUTE_TYPE type : types) {
    if (std::ranges::equal(stated.Value(type), actual.Value(type))) continue;
    differences += fmt::format("{}{} is {}, {} was asked", differences.empty() ? "" : "; ", AttributeName(type),
                               actual.DescribeOne(type), DescribeValue(type, stated.Value(type)));
  }
  if (differences.empty()) return {};
  return base::MakeError(ErrorCode::kCorrupt, name + ": the token ignored a part of the template: " + differences)
      .WithRule("OBJECT-SET-01");
}

}  // namespace

Session::Session(std::shared_ptr<Token> token, CK_SESSION_HANDLE handle)
    : token_(std::move(token)), handle_(handle), generation_(token_->module().generation()) {}

Result<Session> Session::Open(std::shared_ptr<Token> token, Access access) {
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (access == Access::kReadWrite ? CKF_RW_SESSION : 0);
  CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv = token->module().api().OpenSession(token->slot(), flags, &handle);
  if (rv != CKR_OK) return CallError(Function::kOpenSession, rv, "opening a session on " + token->Name());
  if (handle == CK_INVALID_HANDLE) return NonsenseError(Function::kOpenSession, "CKR_OK and the invalid handle");
  Session session(std::move(token), handle);
  // Asked now that the session is open: what is in the slot from here on is what the session is with. That holds after
  // a Reinitialise, too, when slots may have new numbers.
  KC_RETURN_IF_ERROR(session.token().Refresh());
  return session;
}

Session::Session(Session&& other) noexcept
    : token_(std::move(other.token_)),
      handle_(std::exchange(other.handle_, CK_INVALID_HANDLE)),
      generation_(other.generation_) {}

Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    Session old(std::move(*this));
    token_ = std::move(other.token_);
    handle_ = std::exchange(other.handle_, CK_INVALID_HANDLE);
    generation_ = other.generation_;
  }
  return *this;
}

Session::~Session() {
  const Result<void> closed = Close();
  if (!closed.ok()) token_->module().observer().Trouble(closed.error());
}

CK_SESSION_HANDLE Session::handle() const {
  // After a reinitialisation the module may give the same number to another session.
  return token_ && generation_ == token_->module().generation() ? handle_ : CK_INVALID_HANDLE;
}

Result<void> Session::Close() {
  const CK_SESSION_HANDLE open = handle();
  handle_ = CK_INVALID_HANDLE;
  if (open == CK_INVALID_HANDLE) return {};
  const CK_RV rv = api().CloseSession(open);
  if (rv != CKR_OK) return CallError(Function::kCloseSession, rv, "closing a session on " + token_->Name());
  return {};
}

Result<CK_STATE> Session::State() {
  CK_SESSION_INFO info{};
  const CK_RV rv = api().GetSessionInfo(handle(), &info);
  if (rv != CKR_OK) return CallError(Function::kGetSessionInfo, rv, "asking who is logged in to " + token_->Name());
  return info.state;
}

Result<std::vector<CK_OBJECT_HANDLE>> Session::FindHandles(const Template& match) {
  const std::string doing = "searching " + token_->Name();
  const std::span<CK_ATTRIBUTE> native = match.Native();
  const auto begin = [&] {
    return api().FindObjectsInit(handle(), native.empty() ? nullptr : native.data(), native.size());
  };
  CK_RV rv = begin();
  if (rv == CKR_OPERATION_ACTIVE) {
    // A search that could not be closed is still open in the module.
    token_->module().observer().Trouble(CallError(Function::kFindObjectsInit, rv, doing));
    static_cast<void>(api().FindObjectsFinal(handle()));
    rv = begin();
  }
  if (rv != CKR_OK) return CallError(Function::kFindObjectsInit, rv, doing);
  std::vector<CK_OBJECT_HANDLE> handles;
  std::unordered_set<CK_OBJECT_HANDLE> known;
  std::optional<Error> failure;
  while (!failure) {
    std::array<CK_OBJECT_HANDLE, 256> batch{};
    CK_ULONG count = 0;
    rv = api().FindObjects(handle(), batch.data(), batch.size(), &count);
    if (rv != CKR_OK) {
      failure = CallError(Function::kFindObjects, rv, doing);
    } else if (count > batch.size()) {
      failure = NonsenseError(Function::kFindObjects, fmt::format("{} objects in a list for {}", count, batch.size()));
    } else if (count == 0) {
      break;
    } else if (handles.size() + count > kMaxObjects) {
      failure = NonsenseError(Function::kFindObjects, fmt::format("more than {} objects", kMaxObjects));
    } else {
      // Listed twice it is still one object; a list that only repeats itself has no end.
      const std::size_t before = handles.size();
      for (const CK_OBJECT_HANDLE found : std::span(batch).first(count)) {
        if (known.insert(found).second) handles.push_back(found);
      }
      if (handles.size() == before) {
        failure = NonsenseError(Function::kFindObjects, fmt::format("the same {} objects again", count));
      }
    }
  }
  // A search left open blocks the next one in this session, so it is closed on every path.
  rv = api().FindObjectsFinal(handle());
  if (failure) {
    if (rv != CKR_OK) token_->module().observer().Trouble(CallError(Function::kFindObjectsFinal, rv, doing));
    return *std::move(failure);
  }
  if (rv != CKR_OK) return CallError(Function::kFindObjectsFinal, rv, doing);
  return handles;
}

Result<std::vector<Object>> Session::FindAll(const Template& match) {
  KC_ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> handles, FindHandles(match));
  std::vector<Object> objects;
  objects.reserve(handles.size());
  for (const CK_OBJECT_HANDLE found : handles) {
    Result<Object> object = ReadObject(found);
    if (object.ok()) {
      objects.push_back(std::move(object).value());
    } else if (object.error().rv && SpeaksOfOneObject(quirks(), *object.error().rv)) {
      objects.push_back(Object(found, AttributeSet()));
    } else {
      return std::move(object).error();
    }
  }
  return objects;
}

Result<Object> Session::ReadObject(CK_OBJECT_HANDLE handle) {
  KC_ASSIGN_OR_RETURN(const AttributeSet attributes, ReadAttributes(handle, kNameAttributes));
  return Object(handle, attributes);
}

Result<void> Session::SetAttributes(const Object& object, const Template& attributes) {
  ConsequentialCall call = PlanCall(*this, Function::kSetAttributeValue);
  call.object = object.Name();
  call.attributes = attributes.Describe();
  return Perform<void>(token_->module().observer(), call, [&](CallOutcome& outcome) -> Result<void> {
    const std::span<CK_ATTRIBUTE> native = attributes.Native();
    const CK_RV rv = TimedCall(
        outcome, [&] { return api().SetAttributeValue(handle(), object.handle(), native.data(), native.size()); });
    if (rv != CKR_OK) {
      return CallError(Function::kSetAttributeValue, rv,
                       fmt::format("changing {} on {}", object.Name(), token_->Name()));
    }
    const std::vector<CK_ATTRIBUTE_TYPE> types = Readable(attributes);
    KC_ASSIGN_OR_RETURN(const AttributeSet actual, ReadAttributes(object.handle(), types));
    outcome.attributes = actual.Describe();
    return CheckKept(object.Name(), attributes, actual, types);
  });
}

Result<void> Session::Destroy(const Object& object) {
  ConsequentialCall call = PlanCall(*this, Function::kDestroyObject);
  call.object = object.Name();
  return Perform<void>(token_->module().observer(), call, [&](CallOutcome& outcome) -> Result<void> {
    const std::string doing = fmt::format("destroying {} on {}", object.Name(), token_->Name());
    const CK_RV rv = TimedCall(outcome, [&] { return api().DestroyObject(handle(), object.handle()); });
    if (rv != CKR_OK) return CallError(Function::kDestroyObject, rv, doing);
    CK_OBJECT_CLASS object_class = 0;
    CK_ATTRIBUTE probe{CKA_CLASS, &object_class, sizeof object_class};
    const CK_RV gone = api().GetAttributeValue(handle(), object.handle(), &probe, 1);
    if (gone == CKR_OK) {
      return base::MakeError(ErrorCode::kCorrupt,
                             doing + ": C_DestroyObject said CKR_OK, and the object is still there")
          .WithRule("OBJECT-DESTROY-01");
    }
    if (gone != CKR_OBJECT_HANDLE_INVALID && gone != CKR_KEY_HANDLE_INVALID) {
      return CallError(Function::kGetAttributeValue, gone, doing + ": whether it is gone cannot be told");
    }
    return {};
  });
}

Result<Bytes> Session::GenerateRandom(std::size_t size) {
  if (size == 0 || size > kMaxRandom) {
    return base::MakeError(ErrorCode::kInternal, fmt::format("{} random bytes asked, 1 to {} fit", size, kMaxRandom));
  }
  Bytes bytes(size);
  const CK_RV rv = api().GenerateRandom(handle(), bytes.data(), bytes.size());
  if (rv != CKR_OK) return CallError(Function::kGenerateRandom, rv, "drawing random bytes from " + token_->Name());
  // A generator that wrote nothing leaves zeroes; chance does so once in 2^64.
  if (size >= 8 && std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) {
    return NonsenseError(Function::kGenerateRandom, fmt::format("{} zero bytes", size));
  }
  return bytes;
}

}  // namespace hsm
