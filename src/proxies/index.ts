export { environmentProxy, type ProxyChoice } from './environment_proxy.ts'
