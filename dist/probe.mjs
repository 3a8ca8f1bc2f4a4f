import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 995:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:module");

/***/ }),

/***/ 760:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");

/***/ }),

/***/ 960:
/***/ ((__webpack_module__, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(__webpack_module__, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var _runtime_onnxruntime_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(97);
/* harmony import */ var _runtime_probe_device_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(307);


const [folder, device, against] = process.argv.slice(2);
const result = await probe(folder, device, against === 'against-cpu');
process.stdout.write(`${JSON.stringify(result)}\n`);
async function probe(folder, device, againstCpu) {
    try {
        const library = (0,_runtime_onnxruntime_js__WEBPACK_IMPORTED_MODULE_0__/* .loadOnnxruntime */ .Cd)(folder);
        const milliseconds = await (0,_runtime_probe_device_js__WEBPACK_IMPORTED_MODULE_1__/* .probeDevice */ .f)(library, device);
        return { works: true, milliseconds, ...(againstCpu ? { cpuMilliseconds: await (0,_runtime_probe_device_js__WEBPACK_IMPORTED_MODULE_1__/* .probeDevice */ .f)(library, 'cpu') } : {}) };
    }
    catch (error) {
        return { works: false, reason: error instanceof Error ? error.message : String(error) };
    }
}

__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 75:
/***/ ((__unused_webpack___webpack_module__, __unused_webpack___webpack_exports__, __nccwpck_require__) => {


// UNUSED EXPORTS: findOnnxruntime, isThere, libraryFolder, toolCacheFolder

// EXTERNAL MODULE: external "node:module"
var external_node_module_ = __nccwpck_require__(995);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
;// CONCATENATED MODULE: external "node:url"
const external_node_url_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:url");
;// CONCATENATED MODULE: ./build/src/runtime/pinned-packages.js
/** The runtime that bitgate is built and tested with, by the digests of package-lock.json; a test holds the two together. */
const pinned_packages_ONNXRUNTIME_VERSION = '1.30.0';
const PINNED_PACKAGES = [
    {
        name: 'onnxruntime-node',
        version: pinned_packages_ONNXRUNTIME_VERSION,
        integrity: 'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
        tarballBytes: 113_507_888,
    },
    {
        name: 'onnxruntime-common',
        version: pinned_packages_ONNXRUNTIME_VERSION,
        integrity: 'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
        tarballBytes: 66_795,
    },
];

;// CONCATENATED MODULE: ./build/src/runtime/find-onnxruntime.js
/** Where onnxruntime-node is: the places in which it may lie, in order, each looked at without loading anything. */




const PACKAGE = 'onnxruntime-node';
const find_onnxruntime_require = (0,external_node_module_.createRequire)(import.meta.url);
/** Beside dist/bitgate.mjs; in a variable, or the bundler would copy it as an asset. */
const VENDOR = './vendor';
/**
 * Look for onnxruntime-node: where the user says, in the tool cache, beside the bundle, in node_modules.
 * A path that the user gave is the only place: another runtime than the one asked for is not an answer.
 */
function findOnnxruntime(search = {}) {
    const missed = [];
    for (const { place, folder } of placesOf(search)) {
        const found = place === 'node_modules' ? lookUp(folder) : lookInside(folder);
        if ('version' in found)
            return { found: { place, ...found }, missed };
        missed.push({ place, folder, reason: found.reason });
    }
    return { missed };
}
function placesOf({ runtimePath, toolCache, vendorFolder = fileURLToPath(new URL(VENDOR, import.meta.url)), }) {
    if (runtimePath !== undefined)
        return [{ place: 'runtime-path', folder: runtimePath }];
    return [
        ...(toolCache === undefined ? [] : [{ place: 'tool cache', folder: toolCacheFolder(toolCache) }]),
        { place: 'vendored', folder: vendorFolder },
        { place: 'node_modules', folder: dirname(fileURLToPath(import.meta.url)) },
    ];
}
/** The layout of actions/tool-cache. */
function toolCacheFolder(toolCache) {
    return join(toolCache, PACKAGE, ONNXRUNTIME_VERSION, process.arch);
}
/** The package in a folder that is the package itself, or has it in node_modules. */
function lookInside(folder) {
    for (const candidate of [folder, join(folder, 'node_modules', PACKAGE)]) {
        if (manifestOf(candidate)?.name === PACKAGE)
            return inspect(candidate);
    }
    return { reason: `no ${PACKAGE} there` };
}
/** The package as `require` finds it, from a folder up. */
function lookUp(folder) {
    try {
        return inspect(join(createRequire(join(folder, 'here.js')).resolve(`${PACKAGE}/package.json`), '..'));
    }
    catch {
        return { reason: `no ${PACKAGE} there, nor in a folder above` };
    }
}
function inspect(folder) {
    const version = manifestOf(folder).version;
    if (isThere(join(libraryFolder(folder), 'onnxruntime_binding.node')))
        return { folder, version };
    return { reason: `${PACKAGE} ${version} has no library for ${process.platform}-${process.arch}` };
}
function manifestOf(folder) {
    try {
        return find_onnxruntime_require(join(folder, 'package.json'));
    }
    catch {
        return undefined;
    }
}
/** The folder of the native library, where onnxruntime also looks for the libraries of its providers. */
function libraryFolder(folder) {
    return join(folder, `bin/napi-v${manifestOf(folder)?.binary?.napi_versions?.[0]}/${process.platform}/${process.arch}`);
}
/** Whether a file is there, as `require` sees it. */
function isThere(path) {
    try {
        find_onnxruntime_require.resolve(path);
        return true;
    }
    catch {
        return false;
    }
}


/***/ }),

/***/ 97:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  Cd: () => (/* binding */ loadOnnxruntime)
});

// UNUSED EXPORTS: createOpenSession, openOnnxruntimeSession

// EXTERNAL MODULE: external "node:module"
var external_node_module_ = __nccwpck_require__(995);
;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");
;// CONCATENATED MODULE: ./build/src/errors.js
/** The config, the data, the budget or the model cannot be used as it is: exit code 2. */
class UserError extends Error {
    problems;
    constructor(problems, options) {
        const list = Array.isArray(problems) ? problems : [problems];
        super(list.map(renderProblem).join('\n'), options);
        this.name = 'UserError';
        this.problems = list;
    }
}
/** A valid model that bitgate does not handle; the problem names node, operator, domain, opset or data type: exit code 2. */
class UnsupportedModelError extends UserError {
    constructor(problem, options) {
        super(problem, options);
        this.name = 'UnsupportedModelError';
    }
}
/** "file:line:column: what" and, on a line of its own, the fix. */
function renderProblem({ what, where, fix }) {
    const place = where === undefined ? '' : `${renderPlace(where)}: `;
    return `${place}${what}${fix === undefined ? '' : `\n  fix: ${fix}`}`;
}
function renderPlace(where) {
    return typeof where === 'string' ? where : `${where.file}:${where.line}:${where.column}`;
}

// EXTERNAL MODULE: ./build/src/runtime/find-onnxruntime.js + 2 modules
var find_onnxruntime = __nccwpck_require__(75);
;// CONCATENATED MODULE: ./build/src/runtime/onnxruntime.js
/** The only file that speaks to onnxruntime-node: sessions on one execution provider. */




const onnxruntime_require = (0,external_node_module_.createRequire)(import.meta.url);
/**
 * Load the package in a folder, which stays where it is: its native library finds its neighbours by its own place.
 *
 * @throws UserError if it cannot be loaded on this machine
 */
function loadOnnxruntime(folder) {
    try {
        return onnxruntime_require(folder);
    }
    catch (cause) {
        const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
        const fix = 'docs/self-hosted.md says what onnxruntime needs of a machine';
        throw new UserError({ what: `onnxruntime cannot be loaded: ${reason}`, where: folder, fix }, { cause });
    }
}
/** Sessions on `provider`. What it has no kernel for runs on the CPU, node by node, as onnxruntime places it. */
function createOpenSession(library, provider) {
    return async (model, options = {}) => {
        const session = await library.InferenceSession.create(model, {
            executionProviders: [provider],
            // All optimisations, as a user would have them.
            graphOptimizationLevel: 'all',
            // Errors only: a warning of the optimizer is nothing a user can act on.
            logSeverityLevel: 3,
            // The runtime's own choice is one thread on some virtual machines of two cores, for nearly twice the time.
            intraOpNumThreads: options.threadCount ?? availableParallelism(),
        });
        return wrap(session, library);
    };
}
/** A session on the CPU, of the package that is found without being told where. For tests and benchmarks. */
const openOnnxruntimeSession = (model, options) => {
    const { found } = findOnnxruntime();
    if (found === undefined)
        throw new Error('onnxruntime-node is not installed');
    return createOpenSession(loadOnnxruntime(found.folder), 'cpu')(model, options);
};
function wrap(session, library) {
    return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run: (feeds, outputs) => run(session, library, feeds, outputs ?? session.outputNames),
        release: () => session.release(),
    };
}
async function run(session, library, feeds, outputs) {
    const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor, library)]));
    const results = await session.run(ortFeeds, [...outputs]);
    return Object.fromEntries(outputs.map((name) => [name, fromOrt(results[name], name)]));
}
/**
 * Where JavaScript has a Float16Array (Node 24), the package makes one of bit patterns, and its native part takes the
 * size of that for 0 (microsoft/onnxruntime#32323); it reads `data`, and understands bit patterns.
 */
function toOrt({ elementType, data, dims }, { Tensor }) {
    const tensor = new Tensor(elementType, data, dims);
    if (elementType === 'float16')
        Object.defineProperty(tensor, 'data', { value: data });
    return tensor;
}
function fromOrt({ type, data, dims }, name) {
    if (!READABLE.has(type))
        throw new Error(`output '${name}' is ${type}, which is not a numeric tensor`);
    if (type === 'float16') {
        const { buffer, byteOffset, length } = data;
        return { elementType: type, dims, data: new Uint16Array(buffer, byteOffset, length) };
    }
    return { elementType: type, dims, data: data };
}
const READABLE = new Set([
    'float32',
    'float64',
    'float16',
    'uint8',
    'int8',
    'int32',
    'int64',
    'bool',
]);


/***/ }),

/***/ 307:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   f: () => (/* binding */ probeDevice)
/* harmony export */ });
/* unused harmony export missingLibrary */
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(760);
/* harmony import */ var _find_onnxruntime_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(75);
/** Whether a device works here, found out by using it: what is bundled or installed says little about what runs. */


/** y = MatMul(x, x), shape [n, n], opset 13. */
const MODEL = Buffer.from('CAc6SAoRCgF4CgF4EgF5IgZNYXRNdWwSBXByb2JlWhUKAXgSEAoOCAESCgoDEgFuCgMSAW5iFQoBeRIQCg4IARIKCgMSAW4KAxIBbkICEA0=', 'base64');
/** Large enough that a graphics card beats any processor, small enough that a software renderer answers in a second. */
const SIZE = 512;
/** The first runs compile kernels and take memory. */
const WARM_UP_RUNS = 2;
const TIMED_RUNS = 3;
/** x is 1/512 everywhere, so every element of the product is too, also in half precision. */
const VALUE = 1 / SIZE;
/**
 * Multiply two matrices on a device, and on no other.
 *
 * @returns the least milliseconds of a run
 * @throws Error if the device does not work, or multiplies wrongly
 */
async function probeDevice({ InferenceSession, Tensor }, device) {
    const session = await InferenceSession.create(MODEL, {
        executionProviders: [device],
        logSeverityLevel: 4,
        ...(device === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
    });
    const x = new Tensor('float32', new Float32Array(SIZE * SIZE).fill(VALUE), [SIZE, SIZE]);
    let least = Number.POSITIVE_INFINITY;
    for (let count = 0; count < WARM_UP_RUNS + TIMED_RUNS; count++) {
        const begun = performance.now();
        const { y } = await session.run({ x });
        if (count >= WARM_UP_RUNS)
            least = Math.min(least, performance.now() - begun);
        assertProduct(y.data);
    }
    await session.release();
    return least;
}
function assertProduct(product) {
    const wrong = product.find((value) => !(Math.abs(value - VALUE) <= VALUE / 100));
    if (wrong !== undefined)
        throw new Error(`a product of matrices has ${wrong} where ${VALUE} is right`);
}
/** Libraries that onnxruntime-node does not carry; it looks for them beside its own. */
const PROVIDER_LIBRARIES = {
    cuda: 'onnxruntime_providers_cuda',
    tensorrt: 'onnxruntime_providers_tensorrt',
};
/** Why a device cannot work with the package in `folder`, as far as files tell; undefined when they do not rule it out. */
function missingLibrary(folder, device) {
    const library = PROVIDER_LIBRARIES[device];
    if (library === undefined)
        return undefined;
    const file = process.platform === 'win32' ? `${library}.dll` : `lib${library}.so`;
    const beside = libraryFolder(folder);
    return isThere(join(beside, file)) ? undefined : `${file} is not in ${beside}`;
}


/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/async module */
/******/ (() => {
/******/ 	var webpackQueues = typeof Symbol === "function" ? Symbol("webpack queues") : "__webpack_queues__";
/******/ 	var webpackExports = typeof Symbol === "function" ? Symbol("webpack exports") : "__webpack_exports__";
/******/ 	var webpackError = typeof Symbol === "function" ? Symbol("webpack error") : "__webpack_error__";
/******/ 	var resolveQueue = (queue) => {
/******/ 		if(queue && queue.d < 1) {
/******/ 			queue.d = 1;
/******/ 			queue.forEach((fn) => (fn.r--));
/******/ 			queue.forEach((fn) => (fn.r-- ? fn.r++ : fn()));
/******/ 		}
/******/ 	}
/******/ 	var wrapDeps = (deps) => (deps.map((dep) => {
/******/ 		if(dep !== null && typeof dep === "object") {
/******/ 			if(dep[webpackQueues]) return dep;
/******/ 			if(dep.then) {
/******/ 				var queue = [];
/******/ 				queue.d = 0;
/******/ 				dep.then((r) => {
/******/ 					obj[webpackExports] = r;
/******/ 					resolveQueue(queue);
/******/ 				}, (e) => {
/******/ 					obj[webpackError] = e;
/******/ 					resolveQueue(queue);
/******/ 				});
/******/ 				var obj = {};
/******/ 				obj[webpackQueues] = (fn) => (fn(queue));
/******/ 				return obj;
/******/ 			}
/******/ 		}
/******/ 		var ret = {};
/******/ 		ret[webpackQueues] = x => {};
/******/ 		ret[webpackExports] = dep;
/******/ 		return ret;
/******/ 	}));
/******/ 	__nccwpck_require__.a = (module, body, hasAwait) => {
/******/ 		var queue;
/******/ 		hasAwait && ((queue = []).d = -1);
/******/ 		var depQueues = new Set();
/******/ 		var exports = module.exports;
/******/ 		var currentDeps;
/******/ 		var outerResolve;
/******/ 		var reject;
/******/ 		var promise = new Promise((resolve, rej) => {
/******/ 			reject = rej;
/******/ 			outerResolve = resolve;
/******/ 		});
/******/ 		promise[webpackExports] = exports;
/******/ 		promise[webpackQueues] = (fn) => (queue && fn(queue), depQueues.forEach(fn), promise["catch"](x => {}));
/******/ 		module.exports = promise;
/******/ 		body((deps) => {
/******/ 			currentDeps = wrapDeps(deps);
/******/ 			var fn;
/******/ 			var getResult = () => (currentDeps.map((d) => {
/******/ 				if(d[webpackError]) throw d[webpackError];
/******/ 				return d[webpackExports];
/******/ 			}))
/******/ 			var promise = new Promise((resolve) => {
/******/ 				fn = () => (resolve(getResult));
/******/ 				fn.r = 0;
/******/ 				var fnQueue = (q) => (q !== queue && !depQueues.has(q) && (depQueues.add(q), q && !q.d && (fn.r++, q.push(fn))));
/******/ 				currentDeps.map((dep) => (dep[webpackQueues](fnQueue)));
/******/ 			});
/******/ 			return fn.r ? promise : getResult();
/******/ 		}, (err) => ((err ? reject(promise[webpackError] = err) : outerResolve(exports)), resolveQueue(queue)));
/******/ 		queue && queue.d < 0 && (queue.d = 0);
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/************************************************************************/
/******/ 
/******/ // startup
/******/ // Load entry module and return exports
/******/ // This entry module used 'module' so it can't be inlined
/******/ var __webpack_exports__ = __nccwpck_require__(960);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
