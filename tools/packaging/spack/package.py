# Spack recipe of boltzcurve. In a repository of your own (spack repo create), as packages/boltzcurve/package.py; then, in the folder of the
# sources, `spack dev-build boltzcurve@0.1.0`, or `spack develop --path . boltzcurve@0.1.0` in an environment.
#
# Tried: python -m py_compile; and a test of the tree holds version, dependencies and options against CMakeLists.txt and
# cmake/Dependencies.cmake. Not tried: Spack itself (neither concretizing nor building).
from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.builtin.build_systems.cuda import CudaPackage
from spack_repo.builtin.build_systems.rocm import ROCmPackage

from spack.package import *


class Boltzcurve(CMakePackage, CudaPackage, ROCmPackage):
    """Draws independent samples, with importance weights, from Boltzmann densities along learned curves of densities (MPI, Kokkos, HDF5)."""

    license("MIT")

    version("0.1.0")

    variant("openmp", default=False, description="Threads within a rank")
    variant("native", default=True, description="Compile for the vector units of the machine that builds")
    variant("tools", default=True, description="Python packages for boltzcurve-tools")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("ninja", type="build")
    depends_on("help2man", type="build")
    generator("ninja")

    depends_on("mpi")
    depends_on("kokkos@3.4:5")
    depends_on("hdf5@1.10:+mpi")
    depends_on("boost@1.71:+program_options")
    depends_on("eigen@3.3:3")
    depends_on("fmt")
    depends_on("nlohmann-json@3")
    depends_on("random123")

    depends_on("kokkos+openmp", when="+openmp")
    for _arch in CudaPackage.cuda_arch_values:
        depends_on(f"kokkos+cuda+cuda_lambda+wrapper cuda_arch={_arch}", when=f"+cuda cuda_arch={_arch}")
    for _arch in ROCmPackage.amdgpu_targets:
        depends_on(f"kokkos+rocm amdgpu_target={_arch}", when=f"+rocm amdgpu_target={_arch}")

    with default_args(type="run", when="+tools"):
        depends_on("python@3.10:")
        depends_on("py-numpy")
        depends_on("py-h5py")
        depends_on("py-matplotlib")

    conflicts("%gcc@:10", msg="C++20 as used here needs GCC 11 or newer")
    conflicts("+cuda", when="+rocm")

    def cmake_args(self):
        args = [
            self.define("BOLTZCURVE_TESTS", False),
            self.define("BOLTZCURVE_BENCHMARKS", False),
            self.define_from_variant("BOLTZCURVE_NATIVE", "native"),
        ]
        for variant, backend in (("cuda", "CUDA"), ("rocm", "HIP"), ("openmp", "OPENMP")):
            if self.spec.satisfies(f"+{variant}"):
                args.append(self.define("BOLTZCURVE_BACKEND", backend))
                break
        compiler = self.spec["hip"].hipcc if self.spec.satisfies("+rocm") else self["kokkos"].kokkos_cxx
        args.append(self.define("CMAKE_CXX_COMPILER", compiler))
        return args
