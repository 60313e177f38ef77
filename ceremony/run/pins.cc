#include "ceremony/run/pins.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include "hsm/base/file.h"
#include "hsm/base/random.h"

namespace ceremony::run {
namespace {

constexpr const char* kUser = "user";
constexpr const char* kSecurityOfficer = "security-officer";

std::string EnvelopePath(const std::string& folder, const std::string& token, const char* which) {
  return folder + "/" + token + "." + which + ".pin";
}

}  // namespace

base::SecretBytes RandomPin(const std::string& alphabet, int length) {
  base::SecretBytes pin(static_cast<std::size_t>(length));
  const std::size_t bound = 256 - 256 % alphabet.size();
  for (std::uint8_t& out : pin.writable()) {
    std::uint8_t draw = 0;
    do {
      base::FillRandom({&draw, 1});
    } while (draw >= bound);
    out = static_cast<std::uint8_t>(alphabet[draw % alphabet.size()]);
  }
  return pin;
}

base::Result<base::SecretBytes> TypedPins::UserPin(const std::string& token, const std::string& display) {
  const room::SecretQuestion question{
      .id = "token.login/" + token, .person = "holder of the user PIN", .text = "user PIN of " + display};
  return terminal_.AskSecret(question);
}

base::Result<base::SecretBytes> TypedPins::SecurityOfficerPin(const std::string& token, const std::string& display) {
  const room::SecretQuestion question{
      .id = "token.login-so/" + token, .person = "security officer", .text = "security officer PIN of " + display};
  return terminal_.AskSecret(question);
}

base::Result<steps::NewPins> TypedPins::NewPins(const std::string& token, const std::string& display) {
  steps::NewPins pins;
  KC_ASSIGN_OR_RETURN(pins.security_officer,
                      terminal_.AskSecret({.id = "token.commission/so-pin/" + token,
                                           .person = "security officer",
                                           .text = "new security officer PIN for " + display,
                                           .min_length = static_cast<std::size_t>(policy_.so_length),
                                           .twice = true}));
  KC_ASSIGN_OR_RETURN(pins.user, terminal_.AskSecret({.id = "token.commission/user-pin/" + token,
                                                      .person = "holder of the user PIN",
                                                      .text = "new user PIN for " + display,
                                                      .min_length = static_cast<std::size_t>(policy_.user_length),
                                                      .twice = true}));
  return pins;
}

base::Result<base::SecretBytes> EnvelopePins::UserPin(const std::string& token, const std::string&) {
  return Open(token, kUser);
}

base::Result<base::SecretBytes> EnvelopePins::SecurityOfficerPin(const std::string& token, const std::string&) {
  return Open(token, kSecurityOfficer);
}

base::Result<steps::NewPins> EnvelopePins::NewPins(const std::string& token, const std::string&) {
  steps::NewPins pins;
  KC_ASSIGN_OR_RETURN(pins.security_officer, Seal(token, kSecurityOfficer, policy_.so_length));
  KC_ASSIGN_OR_RETURN(pins.user, Seal(token, kUser, policy_.user_length));
  return pins;
}

base::Result<base::SecretBytes> EnvelopePins::Open(const std::string& token, const char* which) const {
  const std::string path = EnvelopePath(folder_, token, which);
  const base::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return base::SystemError("open", "PIN envelope " + path, errno);
  base::SecretBytes buffer(256);
  const ssize_t got = file.ReadSome(buffer.writable());
  if (got < 0) return base::SystemError("read", "PIN envelope " + path, errno);
  if (got == 0) return base::MakeError(base::ErrorCode::kCorrupt, "PIN envelope " + path + " is empty");
  return base::SecretBytes::CopyOf(buffer.view().first(static_cast<std::size_t>(got)));
}

base::Result<base::SecretBytes> EnvelopePins::Seal(const std::string& token, const char* which, int length) const {
  // A whole envelope from a run that was cut off holds the PIN that the token may already have.
  if (auto kept = Open(token, which); kept.ok()) return kept;
  base::SecretBytes pin = RandomPin(policy_.alphabet, length);
  auto sealed = base::WriteFile(EnvelopePath(folder_, token, which), base::AsText(pin.view()), {.replace = true});
  if (!sealed.ok()) return std::move(sealed).error().Prefixed("PIN envelope");
  return pin;
}

}  // namespace ceremony::run
