// keyceremony-verify: the verdict on a record or an archive, for those who were not in the room.
#include <iostream>

#include "ceremony/verify/command.h"

int main(int argc, char** argv) { return ceremony::verify::RunProgram(argc, argv, std::cout, std::cerr); }
