// A SoftHSM token in a process of its own: p11-kit's server in front of it, p11-kit-client.so on our side.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "hsm/real_cryptoki.h"
#include "tests/support/softhsm.h"
#include "tests/support/token_world.h"

namespace support {
namespace {

constexpr const char* kClients[] = {"/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
                                    "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
                                    "/usr/lib64/pkcs11/p11-kit-client.so"};
constexpr const char* kServer = "/usr/bin/p11-kit";

std::string ClientPath() {
  for (const char* const path : kClients) {
    if (access(path, R_OK) == 0) return path;
  }
  return {};
}

// The client reads its server's address once in a process, so that every world
// has its server at the same place, one after the other.
const std::filesystem::path& SocketFolder() {
  struct Folder {
    Folder() {
      std::string name = (std::filesystem::temp_directory_path() / "p11-kit-XXXXXX").string();
      if (mkdtemp(name.data()) == nullptr) {
        std::perror("mkdtemp");
        std::abort();
      }
      path = name;
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
  };
  static const Folder folder;
  return folder.path;
}

class P11KitWorld final : public TokenWorld {
 public:
  P11KitWorld() {
    options_ = folder_.options();
    provider_ = options_.path;
    MakeToken();
    options_.path = ClientPath();
    socket_ = (SocketFolder() / "socket").string();
    options_.environment["P11_KIT_SERVER_ADDRESS"] = "unix:path=" + socket_;
    SetEnvironment();
    StartServer();
  }
  ~P11KitWorld() override { StopServer(); }
  std::string name() const override { return "p11-kit"; }
  Ways ways() const override {
    return {.refuses_second_logout = false, .wrong_key_type = CKR_OK, .unknown_key = CKR_OBJECT_HANDLE_INVALID};
  }
  // Before the token is made this is SoftHSM itself.
  std::unique_ptr<hsm::CryptokiApi> LoadApi() override { return hsm::RealCryptoki::Load(options_.path).value(); }

 private:
  void StartServer();
  void StopServer() const;

  SoftHsm folder_;
  std::string provider_;
  std::string socket_;
  pid_t server_ = -1;
};

bool Answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  path.copy(address.sun_path, path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return connected;
}

void P11KitWorld::StartServer() {
  std::filesystem::remove(socket_);
  server_ = fork();
  if (server_ < 0) std::abort();
  if (server_ == 0) {
    // Its words are for a shell, and complaints when it is stopped. No stdio here: the buffers are the parent's.
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0) _exit(127);
    execl(kServer, kServer, "server", "-f", "-n", socket_.c_str(), "--provider", provider_.c_str(), "pkcs11:", nullptr);
    _exit(127);
  }
  // The socket's file is there before the server listens, and a client that comes in between finds no token: only a
  // connection says that it does. Ten seconds are for a machine with much else to do.
  for (int i = 0; i < 1000; ++i) {
    if (Answers(socket_)) return;
    usleep(10'000);
  }
  std::fprintf(stderr, "cannot set the token up: p11-kit server does not listen on %s\n", socket_.c_str());
  std::abort();
}

void P11KitWorld::StopServer() const {
  kill(server_, SIGTERM);
  waitpid(server_, nullptr, 0);
}

}  // namespace

std::unique_ptr<TokenWorld> NewP11KitWorld() {
  if (SoftHsmPath().empty() || ClientPath().empty() || access(kServer, X_OK) != 0) return nullptr;
  return std::make_unique<P11KitWorld>();
}

}  // namespace support
